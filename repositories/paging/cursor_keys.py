"""Rotation of the keys that sign cursors."""

from domain.common.environment import chance
from repositories.aws.clients import secretsmanager
from repositories.dynamodb.iam_actions import IamAction, uses

KEPT = 2
"""Number of keys kept: the one that signs and the previous one."""
_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"


@uses(IamAction.ROTATE)
def prepare_rotation(secret: str, version: str) -> None:
    """Create the pending version of the secret: a new key before those that are kept. Idempotent."""
    client = secretsmanager()
    try:
        client.get_secret_value(SecretId=secret, VersionId=version, VersionStage=_PENDING)
    except client.exceptions.ResourceNotFoundException:
        keys = client.get_secret_value(SecretId=secret, VersionStage=_CURRENT)["SecretString"].split(",")
        rotated = ",".join([chance().randbytes(32).hex(), *keys][:KEPT])
        client.put_secret_value(
            SecretId=secret, ClientRequestToken=version, SecretString=rotated, VersionStages=[_PENDING]
        )


@uses(IamAction.ROTATE)
def finish_rotation(secret: str, version: str) -> None:
    """Make the pending version of the secret current. Idempotent."""
    client = secretsmanager()
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    current = next(name for name, labels in stages.items() if _CURRENT in labels)
    if current != version:
        client.update_secret_version_stage(
            SecretId=secret, VersionStage=_CURRENT, MoveToVersionId=version, RemoveFromVersionId=current
        )
