"""Cognito user pool, its groups and its app client."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from domain.identity.permissions import Role
from handlers.invocations.trigger import TriggerSource
from infra.nag import acknowledge
from infra.naming import set_logical_id
from infra.stages import Stage


class Identity(Construct):
    """User pool. Only the backend can set a user's tenant; users cannot."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Identity")
        self.pool = cognito.UserPool(
            self,
            "Users",
            # Usernames are `tenant/e-mail`, so that one person can be a customer of two shops. Self-registered users
            # get tokens only in tenants that allow sign-up, because a token requires a profile.
            self_sign_up_enabled=True,
            sign_in_aliases=cognito.SignInAliases(username=True),
            sign_in_case_sensitive=False,
            keep_original=cognito.KeepOriginalAttrs(email=True),
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True),
                fullname=cognito.StandardAttribute(required=False, mutable=True),
            ),
            custom_attributes={"tenant_id": cognito.StringAttribute(min_len=3, max_len=40, mutable=False)},
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            email=_by_ses(stage.ses_from) if stage.ses_from else None,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            feature_plan=cognito.FeaturePlan.PLUS if stage.production else cognito.FeaturePlan.ESSENTIALS,
            standard_threat_protection_mode=(
                cognito.StandardThreatProtectionMode.FULL_FUNCTION if stage.production else None
            ),
            deletion_protection=stage.production,
            removal_policy=stage.removal_policy,
        )
        set_logical_id(self.pool, "UserPool")
        acknowledge(
            self.pool, "AwsSolutions-COG2", "MFA is each user's choice: customers of a shop are not forced to use it"
        )
        if not stage.production:
            acknowledge(self.pool, "AwsSolutions-COG3", "Threat protection costs by user and is on in prod")
            acknowledge(self.pool, "AwsSolutions-COG8", "The Plus plan costs by user and is on in prod")
        for role in Role:
            cognito.CfnUserPoolGroup(
                self, role.value.title(), user_pool_id=self.pool.user_pool_id, group_name=role.value
            )
        self.client = self.pool.add_client(
            "App",
            generate_secret=False,
            disable_o_auth=True,
            auth_flows=cognito.AuthFlow(user_srp=True),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.hours(1),
            access_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
            read_attributes=cognito.ClientAttributes()
            .with_standard_attributes(email=True, email_verified=True)
            .with_custom_attributes("tenant_id"),
            write_attributes=cognito.ClientAttributes().with_standard_attributes(email=True, fullname=True),
        )

    def add_trigger(self, source: TriggerSource, function: lambda_.IFunction) -> None:
        """Add a Lambda trigger to the user pool."""
        self.pool.add_trigger(cognito.UserPoolOperation.of(source.value), function)


def _by_ses(sender: str) -> cognito.UserPoolEmail:
    return cognito.UserPoolEmail.with_ses(from_email=sender, ses_region=Aws.REGION)
