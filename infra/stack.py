"""The whole of Tradepost as one CloudFormation stack."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from handlers.trigger import Source
from infra.constructs.api import Api
from infra.constructs.data import Data
from infra.constructs.functions import DeployedFunction
from infra.constructs.identity import Identity
from infra.functions import Function, TriggerFunction, functions, triggers
from infra.stages import Stage


class TradepostStack(Stack):
    """Table, user pool, API and a function a route; `archive` is the zip that all functions run."""

    def __init__(self, scope: Construct, stage: Stage, archive: Path) -> None:
        super().__init__(scope, f"Tradepost-{stage.name}", description=f"Tradepost ({stage.name})")
        data = Data(self, stage)
        identity = Identity(self, stage)
        api = Api(self, stage=stage, identity=identity)

        def deploy(function: Function | TriggerFunction) -> DeployedFunction:
            return DeployedFunction(self, function, stage=stage, data=data, identity=identity, archive=archive)

        api.add_routes((function, deploy(function)) for function in functions())
        for each in triggers():
            _connect(each.trigger.source, deploy(each), stage, data, identity)
        CfnOutput(self, "ApiUrl", value=f"{api.rest.url}v1", description="Base URL of the API")
        CfnOutput(self, "UserPoolId", value=identity.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=identity.client.user_pool_client_id)
        CfnOutput(self, "TableName", value=data.table.table_name)


def _connect(source: Source, deployed: DeployedFunction, stage: Stage, data: Data, identity: Identity) -> None:
    if source is not Source.SECRET_ROTATION:
        identity.add_trigger(source, deployed.function)
    elif stage.production:
        data.rotate_by(deployed.function)
