"""Deployment of the unchanged app into a local AWS, with users who can sign in there."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from handlers.registry import ROOT
from infra.rehearsal.api_definition import complete
from infra.rehearsal.ministack import ACCOUNT, REGION, environment_for
from local.http.sigv4 import SERVICE

_STACK = "Tradepost-dev"
_API = "AWS::ApiGateway::RestApi"
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Deployed app: endpoint of the local AWS and outputs of the stack."""

    endpoint: str
    outputs: dict[str, str]

    @property
    def api_id(self) -> str:
        """Id of the API."""
        return self.outputs["ApiUrl"].split("//")[1].split(".")[0]

    @property
    def url(self) -> str:
        """Base URL of the API in the local AWS."""
        return f"{self.endpoint}/_aws/execute-api/{self.api_id}/dev/v1"

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service of the local AWS."""
        create: Any = boto3.client
        return create(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )

    def as_operator(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a request signed with an IAM access key."""
        raw = json.dumps(body) if body is not None else ""
        request = AWSRequest(
            method, f"{self.url}{path}", headers={"Content-Type": "application/json"} | (headers or {}), data=raw
        )
        SigV4Auth(Credentials("test", "test"), SERVICE, REGION).add_auth(request)
        return httpx.request(method, str(request.url), headers=dict(request.headers.items()), content=raw, timeout=60)

    def token(self, tenant: str, email: str) -> str:
        """Set a password for an invited user, sign in and return the ID token."""
        cognito = self.client("cognito-idp")
        pool, client = self.outputs["UserPoolId"], self.outputs["UserPoolClientId"]
        # The app client allows only SRP; allow plain passwords in this local user pool.
        cognito.update_user_pool_client(
            UserPoolId=pool, ClientId=client, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        )
        name, password = f"{tenant}/{email}", f"Aa1!{uuid4()}"
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        signed_in = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
        return str(signed_in["AuthenticationResult"]["IdToken"])


def deploy(endpoint: str, folder: Path) -> Deployment:
    """Bootstrap the local AWS and deploy the stage `dev` with the CDK CLI. Raises LookupError if that fails.

    The app is as for AWS, but that queues take requests over HTTP.
    """
    environment = environment_for(endpoint)
    _cdk(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], environment, folder)
    _allow_http(endpoint)
    outputs = folder / "outputs.json"
    architecture = _ARCHITECTURES.get(platform.machine(), "x86_64")
    options = ("--require-approval", "never", "-c", f"architecture={architecture}", "-c", "queues_over_tls=off")
    _cdk(["deploy", *options, "-o", str(folder / "cdk.out"), "--outputs-file", str(outputs)], environment, ROOT)
    deployment = Deployment(endpoint, json.loads(outputs.read_text())[_STACK])
    _mend_policies(deployment)
    template = json.loads((folder / "cdk.out" / f"{_STACK}.template.json").read_text())
    [definition] = [each["Properties"]["Body"] for each in template["Resources"].values() if each["Type"] == _API]
    complete(deployment.client("apigateway"), deployment.api_id, "dev", definition)
    return deployment


def _cdk(arguments: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run the CDK CLI in a folder; `bootstrap` runs outside the app's folder, as it needs no app."""
    print(f"cdk {arguments[0]} …", file=sys.stderr)
    cdk = Path(sys.executable).with_name("cdk")
    path = os.pathsep.join([str(cdk.parent), environment["PATH"]])
    done = subprocess.run(  # noqa: S603
        [str(cdk), *arguments],
        env=environment | {"PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LookupError(f"cdk {arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def _allow_http(endpoint: str) -> None:
    """Delete bucket policies, so that the CDK CLI can upload over HTTP: the bootstrap bucket's policy requires TLS."""
    s3 = Deployment(endpoint, {}).client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        s3.delete_bucket_policy(Bucket=bucket["Name"])


def _mend_policies(deployment: Deployment) -> None:
    """Write policies as the local AWS reads them.

    It resolves references to secrets to names, AWS to ARNs; and it wants a permission of its own for batches of
    messages, which AWS has not (SQS developer guide, "Amazon SQS API permissions").
    """
    iam, secrets = deployment.client("iam"), deployment.client("secretsmanager")
    mended = {f'"{secret["Name"]}"': f'"{secret["ARN"]}"' for secret in secrets.list_secrets()["SecretList"]}
    mended['"sqs:SendMessage"'] = '"sqs:SendMessage*"'
    for role in iam.list_roles(MaxItems=1000)["Roles"]:
        for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = json.dumps(iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"])
            changed = document
            for old, new in mended.items():
                changed = changed.replace(old, new)
            if changed != document:
                iam.put_role_policy(RoleName=role["RoleName"], PolicyName=policy, PolicyDocument=changed)
