"""Who may sign in: the Cognito user pool, its groups and its client."""

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from domain.access import Role
from infra.nag import acknowledge
from infra.naming import name
from infra.stages import Stage


class Identity(Construct):
    """The user pool. Only the backend sets a user's tenant; users cannot."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Identity")
        self.pool = cognito.UserPool(
            self,
            "Users",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True)
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
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            feature_plan=cognito.FeaturePlan.PLUS if stage.production else cognito.FeaturePlan.ESSENTIALS,
            standard_threat_protection_mode=(
                cognito.StandardThreatProtectionMode.FULL_FUNCTION if stage.production else None
            ),
            deletion_protection=stage.production,
            removal_policy=stage.removal_policy,
        )
        name(self.pool, "UserPool")
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
            auth_flows=cognito.AuthFlow(user_srp=True),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.hours(1),
            access_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
            read_attributes=cognito.ClientAttributes()
            .with_standard_attributes(email=True, email_verified=True)
            .with_custom_attributes("tenant_id"),
            write_attributes=cognito.ClientAttributes().with_standard_attributes(email=True),
        )
