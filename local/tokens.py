"""ID tokens in the format of a Cognito user pool, signed by a local key."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_tradepost"
AUDIENCE = "tradepostlocal"
"""Id of the app client."""
KEY_ID = "local"
_RSA_BITS = 2048


def signing_key(folder: Path | None) -> RSAPrivateKey:
    """Return the key stored in `folder`, created if missing (None: a new one that is not stored). Raises ValueError."""
    if folder is None:
        return generate_private_key(65537, _RSA_BITS)
    path = folder / "token-key.pem"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(pem(generate_private_key(65537, _RSA_BITS)))
    return signing_key_of(path.read_bytes())


def pem(key: RSAPrivateKey) -> bytes:
    """Return a key in PEM format."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_key_of(text: bytes) -> RSAPrivateKey:
    """Return the key in a PEM text. Raises ValueError."""
    loaded = load_pem_private_key(text, password=None)
    if not isinstance(loaded, RSAPrivateKey):
        raise ValueError("This is not an RSA key")  # noqa: TRY004 - the value of the text is wrong
    return loaded


def mint(
    key: RSAPrivateKey,
    *,
    tenant: str,
    role: str,
    user: str,
    lifetime: timedelta = timedelta(hours=1),
    **claims: Any,
) -> str:
    """Return an ID token for `user` (a UUID). `claims` override or extend the default claims."""
    usual = {
        "sub": user,
        "email": f"{user}@example.com",
        "cognito:groups": [role],
        "custom:tenant_id": tenant,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "token_use": "id",
    }
    return signed(key, usual | claims, lifetime)


def signed(key: RSAPrivateKey, claims: dict[str, Any], lifetime: timedelta) -> str:
    """Return a token with these claims (JWT, RS256), issued now unless the claims say otherwise."""
    issued = datetime.now(UTC)
    times = {"iat": issued, "exp": issued + lifetime}
    return jwt.encode(times | claims, key, algorithm="RS256", headers={"kid": KEY_ID})


def verified_claims(key: RSAPrivateKey, authorization: str | None) -> dict[str, str] | None:
    """Return the claims of an Authorization header as API Gateway passes them to functions, or None if invalid.

    The checks are those of the Cognito authorizer: signature (RS256), expiry, issuer, audience, and type ID token.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        token = scheme
    try:
        claims = jwt.decode(
            token,
            key.public_key(),
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "sub", "token_use"]},
        )
    except jwt.InvalidTokenError:
        return None
    if claims["token_use"] != "id":  # noqa: S105 - a token type, not a password
        return None
    return {name: _as_text(value) for name, value in claims.items()}


def _as_text(claim: Any) -> str:
    if isinstance(claim, bool):
        return str(claim).lower()
    return ",".join(map(str, claim)) if isinstance(claim, list) else str(claim)
