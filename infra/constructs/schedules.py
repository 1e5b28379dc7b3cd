"""EventBridge Scheduler schedules of functions, and the dead-letter queue of calls that failed all retries."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.registry import TriggerFunction
from infra.nag import acknowledge
from infra.naming import set_logical_id

RETRIES = 2
"""Retries of a failed call, by Scheduler and by Lambda; the next scheduled call does the same work anyway."""


class Schedules(Construct):
    """Schedules and their dead-letter queue."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Schedules")
        self.failed = sqs.Queue(
            self,
            "FailedCalls",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        set_logical_id(self.failed, "FailedCalls")
        acknowledge(self.failed, "AwsSolutions-SQS3", "It is the queue of failed calls itself")
        self.reporting = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.failed.queue_arn])
        """Permission to send failed calls to the queue, for the roles of a scheduled function and its caller."""

    def add(self, function: TriggerFunction, deployed: lambda_.IFunction) -> None:
        """Schedule a function at the interval in minutes that its trigger declares."""
        deployed.configure_async_invoke(
            retry_attempts=RETRIES,
            max_event_age=Duration.minutes(function.trigger.every * 5),
            on_failure=destinations.SqsDestination(self.failed),
        )
        role = iam.Role(
            self,
            f"{function.name}Caller",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
            inline_policies={
                "Call": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[deployed.function_arn]),
                        self.reporting,
                    ]
                )
            },
        )
        scheduler.Schedule(
            self,
            f"{function.name}Schedule",
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(function.trigger.every)),
            target=targets.LambdaInvoke(
                deployed,
                role=role.without_policy_updates(),
                dead_letter_queue=self.failed,
                retry_attempts=RETRIES,
                max_event_age=Duration.minutes(function.trigger.every * 5),
            ),
            description=function.description,
        )
