"""CloudFormation stack with all of Tradepost except monitoring."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_iam import PolicyStatement
from constructs import Construct

from handlers.registry import RouteFunction, TriggerFunction, functions, triggers
from handlers.triggers.trigger import TriggerSource
from infra.constructs.data import Data
from infra.constructs.identity import Identity
from infra.constructs.lambda_function import LambdaFunction
from infra.constructs.releases import Releases
from infra.constructs.rest_api import RestApi
from infra.constructs.schedules import Schedules
from infra.stages import Stage


class TradepostStack(Stack):
    """Table, user pool, API, and one function per route and trigger; `archive` is the zip that all functions run."""

    def __init__(self, scope: Construct, stage: Stage, archive: Path) -> None:
        super().__init__(scope, f"Tradepost-{stage.name}", description=f"Tradepost ({stage.name})")
        data = Data(self, stage)
        identity = Identity(self, stage)
        self.table = data.table
        self.api = api = RestApi(self, stage=stage, identity=identity)
        releases = Releases(self, stage=stage, rest=api.rest)

        def deploy(function: RouteFunction | TriggerFunction, *also: PolicyStatement) -> LambdaFunction:
            return LambdaFunction(
                self,
                function,
                stage=stage,
                data=data,
                identity=identity,
                archive=archive,
                releases=releases,
                also=also,
            )

        api.add_routes((function, deploy(function)) for function in functions())
        schedules = Schedules(self)
        self.failed_calls = schedules.failed
        for each in triggers():
            if each.trigger.source is TriggerSource.SCHEDULE:
                schedules.add(each, deploy(each, schedules.reporting).target)
            else:
                _connect(each.trigger.source, deploy(each), stage, data, identity)
        CfnOutput(self, "ApiUrl", value=f"{api.rest.url}v1", description="Base URL of the API")
        CfnOutput(self, "UserPoolId", value=identity.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=identity.client.user_pool_client_id)
        CfnOutput(self, "TableName", value=data.table.table_name)
        CfnOutput(self, "FailedCallsQueue", value=schedules.failed.queue_name)


def _connect(source: TriggerSource, deployed: LambdaFunction, stage: Stage, data: Data, identity: Identity) -> None:
    if source is TriggerSource.SECRET_ROTATION:
        if stage.production:
            data.rotate_by(deployed.target)
    else:
        identity.add_trigger(source, deployed.target)
