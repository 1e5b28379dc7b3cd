"""Signatures of the simulated PayPal's webhooks: RSA with SHA-256 over ids and a checksum, with a certificate.

`<transmission id>|<time>|<webhook id>|<CRC-32 of the body>` is signed (PayPal developer documentation, "Integrate
webhooks").
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from local.simulators.store import Store

CERTIFICATE = "/v1/notifications/certs/CERT-simulated"
"""Path of the certificate."""
ALGORITHM = "SHA256withRSA"
_NOBODYS = "-"
_KEY = "signing_key"


def headers(store: Store, base: str, webhook_id: str, body: str, transmission: str, at: str) -> dict[str, str]:
    """Return the headers with which a webhook is sent."""
    signed = _signed(transmission, at, webhook_id, body.encode())
    return {
        "PayPal-Auth-Algo": ALGORITHM,
        "PayPal-Cert-Url": f"{base}{CERTIFICATE}",
        "PayPal-Transmission-Id": transmission,
        "PayPal-Transmission-Sig": b64encode(_key(store).sign(signed, padding.PKCS1v15(), SHA256())).decode(),
        "PayPal-Transmission-Time": at,
    }


def is_valid(store: Store, fields: Mapping[str, str], body: bytes) -> bool:
    """Return whether a body was signed for a webhook."""
    signed = _signed(fields["transmission_id"], fields["transmission_time"], fields["webhook_id"], body)
    with suppress(InvalidSignature, ValueError):
        signature = b64decode(fields["transmission_sig"], validate=True)
        _key(store).public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())
        return fields["auth_algo"] == ALGORITHM and fields["cert_url"].endswith(CERTIFICATE)
    return False


def certificate(store: Store) -> str:
    """Return the certificate with which signatures can be verified, as PEM."""
    key = _key(store)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated webhooks")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=36500))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def _signed(transmission: str, at: str, webhook_id: str, body: bytes) -> bytes:
    return f"{transmission}|{at}|{webhook_id}|{zlib.crc32(body)}".encode()


def _key(store: Store) -> rsa.RSAPrivateKey:
    """Return the key, which is made when it is first needed."""
    with store.changing():
        found = store.get(_NOBODYS, _KEY, _KEY)
        if found is None:
            made = rsa.generate_private_key(65537, 2048)
            text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            found = store.put(_NOBODYS, _KEY, {"id": _KEY, "pem": text})
    key = load_pem_private_key(found["pem"].encode(), None)
    return cast("rsa.RSAPrivateKey", key)
