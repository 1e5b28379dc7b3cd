"""CDK app: `uv run cdk synth -c stage=dev|prod`."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from handlers.registry import ROOT
from infra.bundling import bundles
from infra.monitoring import MonitoringStack
from infra.stack import TradepostStack
from infra.stages import stage_from


def tradepost_app(app: App) -> TradepostStack:
    """Add Tradepost to a CDK app. An unacknowledged cdk-nag finding fails the synth."""
    stage = stage_from(app.node)
    stack = TradepostStack(app, stage, bundles(ROOT / ".tradepost" / "cache", stage.architecture))
    if stage.monitored:
        MonitoringStack(app, stage, stack)
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    return stack


if __name__ == "__main__":
    app = App()
    tradepost_app(app)
    app.synth()
