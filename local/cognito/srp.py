"""Secure Remote Password (SRP-6a, RFC 5054) as Cognito speaks it, for the server's side.

Cognito uses the 3072-bit group and SHA-256, pads numbers with a zero byte where the first bit is set, and derives the
key by HKDF with its own label, as its open-source client libraries (such as amazon-cognito-identity-js) show.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

_N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
"""Prime of the 3072-bit group (RFC 5054, appendix A)."""
_G = 2
_LABEL = b"Caldera Derived Key\x01"


def _padded(number: int) -> bytes:
    """Return a number as bytes, with a leading zero byte where the first bit is set."""
    return number.to_bytes(number.bit_length() // 8 + 1)


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest())


_K = _hash(_padded(_N), _padded(_G))


def is_public_value(text: str) -> bool:
    """Return whether a text can be a client's public value: hexadecimal, and not zero modulo the prime."""
    return re.fullmatch("[0-9a-fA-F]{1,1024}", text) is not None and int(text, 16) % _N != 0


@dataclass(frozen=True, slots=True)
class Verifier:
    """What the server stores of a password: a salt, and a number from which the password cannot be computed."""

    salt: int
    value: int

    @classmethod
    def of(cls, pool: str, name: str, password: str) -> "Verifier":
        """Return a new verifier. `pool` is the part of the pool's id after the region."""
        salt = secrets.randbits(128)
        return cls(salt, _value(pool, name, password, salt))

    def matches(self, pool: str, name: str, password: str) -> bool:
        """Return whether this is the password."""
        return hmac.compare_digest(_padded(_value(pool, name, password, self.salt)), _padded(self.value))


def _value(pool: str, name: str, password: str, salt: int) -> int:
    identity = hashlib.sha256(f"{pool}{name}:{password}".encode()).digest()
    return pow(_G, _hash(_padded(salt), identity), _N)


@dataclass(frozen=True, slots=True)
class Handshake:
    """A sign-in that waits for the client's proof that it knows the password."""

    verifier: Verifier
    a: int
    """The client's public value."""
    secret: int = field(default_factory=lambda: secrets.randbits(1024))

    @property
    def b(self) -> int:
        """The server's public value."""
        return (_K * self.verifier.value + pow(_G, self.secret, _N)) % _N

    def accepts(self, pool: str, name: str, block: bytes, timestamp: str, signature: str) -> bool:
        """Return whether the signature (base64) proves that the client knows the password."""
        u = _hash(_padded(self.a), _padded(self.b))
        shared = pow(self.a * pow(self.verifier.value, u, _N), self.secret, _N)
        extracted = hmac.digest(_padded(u), _padded(shared), "sha256")
        key = hmac.digest(extracted, _LABEL, "sha256")[:16]
        expected = hmac.digest(key, f"{pool}{name}".encode() + block + timestamp.encode(), "sha256")
        return hmac.compare_digest(base64.b64encode(expected), signature.encode())
