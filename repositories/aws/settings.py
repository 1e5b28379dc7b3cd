"""Settings of functions. This is the only module that reads environment variables."""

import os
from functools import cache

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Environment variables that the stack, or the local server, sets for functions."""

    model_config = ConfigDict(frozen=True)

    table_name: str = Field(alias="TABLE_NAME")
    user_pool_id: str = Field("", alias="USER_POOL_ID")
    """Id of the user pool, for functions that create, change or delete users."""
    tenant_role: str = Field("", alias="TENANT_ROLE")
    """ARN of the role to assume, tagged with the caller's tenant, for the table. Empty: the function's own role."""
    tenant_concurrency: float = Field(0, alias="TENANT_CONCURRENCY")
    """Number of executions that each tenant may have at a time, on average over ten seconds. 0: no limit."""
    cursor_secret: str = Field("", alias="CURSOR_SECRET")
    """Name of the secret in Secrets Manager with the keys that sign cursors."""
    cursor_keys: str = Field("", alias="CURSOR_KEYS")
    """Keys that sign cursors, newest first, comma-separated, for local use. They take precedence over the secret."""
    webhook_secret: str = Field("", alias="WEBHOOK_SECRET")
    """Name of the secret in Secrets Manager with the key from which secrets of webhook endpoints are derived."""
    webhook_key: str = Field("", alias="WEBHOOK_KEY")
    """That key, for local use. It takes precedence over the secret."""
    webhooks_to_anywhere: str = Field("", alias="WEBHOOKS_TO_ANYWHERE")
    """`on` if endpoints may have any address and need no TLS, for local use."""
    payment_queue: str = Field("", alias="PAYMENT_QUEUE")
    """URL of the queue of events of payment providers, for functions that relay them."""
    provider_secrets: str = Field("", alias="PROVIDER_SECRETS")
    """Beginning of the names of secrets with tenants' credentials for payment providers; the tenant follows."""
    stripe_api: str = Field("https://api.stripe.com", alias="STRIPE_API")
    """Address of Stripe's API."""
    paypal_api: str = Field("https://api-m.paypal.com", alias="PAYPAL_API")
    """Address of PayPal's API; that of its sandbox is https://api-m.sandbox.paypal.com."""
    event_queue: str = Field("", alias="EVENT_QUEUE")
    """URL of the queue of events, for functions that relay events."""
    event_bus: str = Field("", alias="EVENT_BUS")
    """Name of the bus of events, for functions that relay events."""
    export_bucket: str = Field("", alias="EXPORT_BUCKET")
    """Name of the bucket with the files of exports."""
    export_queue: str = Field("", alias="EXPORT_QUEUE")
    """URL of the queue of parts of exports, for functions that relay them."""
    delivery_queue: str = Field("", alias="DELIVERY_QUEUE")
    """URL of the queue of webhook deliveries, for functions that relay or sweep them."""


class HttpSettings(BaseModel):
    """Environment variables that are read when a function is imported."""

    model_config = ConfigDict(frozen=True)

    cors_origins: str = Field("", alias="CORS_ORIGINS")
    """Origins that may call the API from a browser, separated by spaces."""
    tracing: str = Field("", alias="TRACING")
    """`on` if X-Ray traces functions."""
    release: str = Field("", alias="RELEASE")
    """Digest of the deployed code, for log lines."""
    function_version: str = Field("", alias="AWS_LAMBDA_FUNCTION_VERSION")
    """Version of the function, as Lambda sets it."""
    initialization_type: str = Field("", alias="AWS_LAMBDA_INITIALIZATION_TYPE")
    """How Lambda initializes the function, such as `on-demand` or `snap-start`; empty outside of Lambda."""


@cache
def settings() -> Settings:
    """Return the settings, read once per process."""
    return Settings.model_validate(dict(os.environ))


def http_settings() -> HttpSettings:
    """Return the settings that are needed at import time, read on each call."""
    return HttpSettings.model_validate(dict(os.environ))


def environment(**values: str) -> dict[str, str]:
    """Return environment variables for settings given by name, such as `table_name="shop"`.

    Raises KeyError for an unknown name.
    """
    fields = Settings.model_fields | HttpSettings.model_fields
    return {str(fields[name].alias): value for name, value in values.items()}
