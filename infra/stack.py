"""The whole of Tradepost as one CloudFormation stack."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.data import Data
from infra.constructs.functions import RouteFunction
from infra.constructs.identity import Identity
from infra.functions import functions
from infra.stages import Stage


class TradepostStack(Stack):
    """Table, user pool, API and a function a route; `archive` is the zip that all functions run."""

    def __init__(self, scope: Construct, stage: Stage, archive: Path) -> None:
        super().__init__(scope, f"Tradepost-{stage.name}", description=f"Tradepost ({stage.name})")
        data = Data(self, stage)
        identity = Identity(self, stage)
        api = Api(self, stage=stage, identity=identity)
        api.add_routes(
            (function, RouteFunction(self, function, stage=stage, data=data, archive=archive))
            for function in functions()
        )
        CfnOutput(self, "ApiUrl", value=f"{api.rest.url}v1", description="Base URL of the API")
        CfnOutput(self, "UserPoolId", value=identity.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=identity.client.user_pool_client_id)
        CfnOutput(self, "TableName", value=data.table.table_name)
