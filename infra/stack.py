"""CloudFormation stack with all of Tradepost except monitoring; functions of routes are in nested stacks."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from aws_cdk import CfnOutput, NestedStack, Stack
from aws_cdk.aws_iam import PolicyStatement
from constructs import Construct

from handlers.invocations.trigger import TriggerSource
from handlers.registry import RouteFunction, TriggerFunction, functions, triggers
from infra.constructs.data import Data
from infra.constructs.event_flow import EventFlow
from infra.constructs.identity import Identity
from infra.constructs.lake import Lake
from infra.constructs.lambda_function import LambdaFunction, Shared
from infra.constructs.releases import Releases
from infra.constructs.rest_api import RestApi
from infra.constructs.schedules import Schedules
from infra.stages import Stage


class TradepostStack(Stack):
    """Table, user pool, API, and one function per route and trigger; `archives` are the zips that they run.

    Functions of routes are in one nested stack per resource, such as `Orders`, as a stack may have 500 resources.
    Functions that the user pool and schedules call are here: the pool calls them, and some of them use it.
    """

    def __init__(self, scope: Construct, stage: Stage, archives: Mapping[str, Path]) -> None:
        super().__init__(scope, f"Tradepost-{stage.name}", description=f"Tradepost ({stage.name})")
        data = Data(self, stage)
        self.identity = identity = Identity(self, stage)
        self.table = data.table
        release = archives[""].stem.rpartition("-")[2]
        releases = Releases(self, stage=stage, api_name=f"tradepost-{stage.name}", release=release)
        self.flow = EventFlow(self, stage)
        shared = Shared(stage, data, identity, archives, release, releases, self.flow.queues)
        self.parts: list[NestedStack] = [
            self.flow,
            *(
                RouteFunctions(self, resource, list(found), shared)
                for resource, found in groupby(functions(), key=lambda each: each.resource)
            ),
        ]
        self.api = RestApi(self, stage=stage, identity=identity, functions=functions())
        self.api.node.add_dependency(*self.parts)
        if stage.lake:
            self.parts.append(Lake(self, stage, self.flow.queues.bus))
        self.failed_calls = self._triggers(shared).failed
        CfnOutput(self, "ApiUrl", value=f"{self.api.rest.url}v1", description="Base URL of the API")
        CfnOutput(self, "UserPoolId", value=identity.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=identity.client.user_pool_client_id)
        CfnOutput(self, "TableName", value=data.table.table_name)
        CfnOutput(self, "EventBusName", value=self.flow.queues.bus.event_bus_name)
        CfnOutput(self, "FailedCallsQueue", value=self.failed_calls.queue_name)

    def _triggers(self, shared: Shared) -> Schedules:
        schedules = Schedules(self)

        def deploy(function: TriggerFunction, *also: PolicyStatement) -> LambdaFunction:
            return LambdaFunction(self, function, shared, also)

        for each in triggers():
            match each.trigger.source:
                case TriggerSource.SCHEDULE:
                    schedules.add(each, deploy(each, schedules.reporting).target)
                case TriggerSource.STREAM:
                    self.flow.on_stream(each, shared)
                case TriggerSource.QUEUE:
                    self.flow.on_queue(each, shared)
                case TriggerSource.SECRET_ROTATION:
                    rotation = deploy(each).target
                    if shared.stage.production:
                        shared.data.rotate_by(rotation)
                case source:
                    shared.identity.add_trigger(source, deploy(each).target)
        return schedules


class RouteFunctions(NestedStack):
    """Functions of the routes of one resource, such as `orders`."""

    def __init__(self, scope: Construct, resource: str, routes: list[RouteFunction], shared: Shared) -> None:
        # The CDK has a construct called Exports in a stack whose values others use.
        name = "Downloads" if resource == "exports" else resource.title()
        super().__init__(scope, name, description=f"Functions of {resource}")
        for each in routes:
            LambdaFunction(self, each, shared)
