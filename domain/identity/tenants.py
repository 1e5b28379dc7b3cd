"""Tenants: shops that share the deployment but no data."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import MISSING, AfterValidator, Field, StrictBool

from domain.common.ids import TENANT_ID
from domain.common.iso.currencies import MINOR_UNITS, known_currency
from domain.common.merge_patch import patched
from domain.common.model import A_NUMBER, Model, SingleLine, Timestamp
from domain.identity.email import EmailAddress
from domain.tax import Rates, ShippingOptions, TaxSettings

TenantId = Annotated[str, Field(pattern=f"^{TENANT_ID}$", examples=["acme"])]
Currency = Annotated[str, AfterValidator(known_currency), Field(json_schema_extra={"enum": sorted(MINOR_UNITS)})]
Currencies = Annotated[list[Currency], Field(max_length=20, examples=[["EUR"]])]
PersonName = Annotated[SingleLine, Field(max_length=200, examples=["Jane Doe"])]


class TenantSettings(Model):
    """Settings of a tenant."""

    hold_minutes: Annotated[int, Field(ge=1, le=1440), A_NUMBER] = 15
    """Minutes for which a pending order's units are reserved."""
    allow_sign_up: StrictBool = False
    """Whether customers can register without an invitation."""
    tax: TaxSettings = TaxSettings()
    shipping_options: ShippingOptions = Field(default_factory=list)


class TenantFields(Model):
    """Fields of a tenant that operators set. An empty `currencies` list allows every currency."""

    name: Annotated[SingleLine, Field(max_length=200, examples=["Acme Crockery"])]
    currencies: Currencies = Field(default_factory=list)
    settings: TenantSettings = TenantSettings()


class NewOwner(Model):
    """The owner of a new tenant, its first user."""

    email: EmailAddress
    name: PersonName


class NewTenant(TenantFields):
    """A new tenant and its owner. The owner is sent an invitation by e-mail."""

    id: TenantId
    owner: NewOwner


class TaxPatch(Model):
    """A change to a tenant's tax settings. Rates replace all rates."""

    prices_include_tax: StrictBool | MISSING = MISSING
    rates: Rates | MISSING = MISSING


class SettingsPatch(Model):
    """A change to a tenant's settings. Fields left out are unchanged."""

    hold_minutes: Annotated[int, Field(ge=1, le=1440), A_NUMBER] | MISSING = MISSING
    allow_sign_up: StrictBool | MISSING = MISSING
    tax: TaxPatch | MISSING = MISSING
    shipping_options: ShippingOptions | MISSING = MISSING


class TenantPatch(Model):
    """A JSON merge patch (RFC 7396) of a tenant. Fields left out are unchanged."""

    name: Annotated[SingleLine, Field(max_length=200)] | MISSING = MISSING
    currencies: Currencies | MISSING = MISSING
    settings: SettingsPatch | MISSING = MISSING


class Tenant(Model):
    """A tenant: one shop with its own users, items, orders and ledger."""

    id: str
    name: str
    currencies: list[str]
    settings: TenantSettings
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, fields: NewTenant, at: datetime) -> Self:
        """Return the first version of a tenant."""
        return cls(
            id=fields.id,
            name=fields.name,
            currencies=fields.currencies,
            settings=fields.settings,
            version=1,
            created_at=at,
            updated_at=at,
        )

    def patched(self, patch: TenantPatch, at: datetime) -> "Tenant":
        """Return the next version of the tenant, with `patch` applied. Raises ValidationFailed."""
        changes = dict(patched(self, TenantFields, patch))
        return self.model_copy(update=changes | {"version": self.version + 1, "updated_at": max(at, self.updated_at)})
