"""Private buckets."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.nag import acknowledge
from infra.naming import set_logical_id
from infra.stages import Stage


def private_bucket(
    scope: Construct,
    name: str,
    stage: Stage,
    *,
    logical_id: str,
    rules: Sequence[s3.LifecycleRule],
    without_access_logs: str,
) -> s3.Bucket:
    """Return an encrypted bucket that only the account reaches; `without_access_logs` says why it has none.

    It stays when the stack is deleted, as a stack cannot delete a bucket that has files.
    """
    bucket = s3.Bucket(
        scope,
        name,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=stage.queues_over_tls,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycle_rules=[*rules],
        removal_policy=RemovalPolicy.RETAIN,
    )
    set_logical_id(bucket, logical_id)
    acknowledge(bucket, "AwsSolutions-S1", without_access_logs)
    if not stage.queues_over_tls:
        acknowledge(bucket, "AwsSolutions-S10", "A local AWS has no TLS")
    return bucket
