"""The settings of a function, from its environment."""

import os
from functools import cache

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What the stack (or the local server) tells a function. Times are in seconds."""

    model_config = ConfigDict(frozen=True)

    table_name: str = Field(alias="TABLE_NAME")
    user_pool_id: str = Field("", alias="USER_POOL_ID")
    """The user pool, for functions that create, change or delete users."""
    tenant_role: str = Field("", alias="TENANT_ROLE")
    """ARN of the role to take, tagged with the caller's tenant, before touching the table; empty: none."""
    cursor_secret: str = Field("", alias="CURSOR_SECRET")
    """Name of the secret in Secrets Manager that holds the keys which sign cursors."""
    cursor_keys: str = Field("", alias="CURSOR_KEYS")
    """The same keys in the clear, newest first, comma-separated, for local use: they win over the secret."""


@cache
def settings() -> Settings:
    """Return the settings, read once."""
    return Settings.model_validate(dict(os.environ))
