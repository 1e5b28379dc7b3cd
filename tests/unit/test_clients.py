"""Tests of how clients of AWS are made: when, and which certificate authorities they trust."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from domain.common.errors import Unavailable
from handlers.registry import ROOT
from infra.bundling import amazon_roots
from local.database import ENVIRONMENT
from repositories.aws import clients, trust
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Meter, Table
from tests.conftest import forget_clients

MADE = (
    "import handlers.items.list_items\nfrom repositories.aws import clients\n"
    "print([each.__name__ for each in clients.ALL if each.cache_info().currsize])"
)


@pytest.mark.parametrize(
    ("variables", "made"),
    [
        ({}, []),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}, ["dynamodb"]),
        (
            {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "TENANT_ROLE": "arn:x", "CURSOR_SECRET": "keys"},
            ["dynamodb", "sts", "secretsmanager"],
        ),
    ],
)
def test_clients_are_made_while_lambda_initializes(variables: dict[str, str], made: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"]} | ENVIRONMENT | variables
    done = subprocess.run(
        [sys.executable, "-c", MADE], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(made)


def test_the_zip_trusts_amazons_authorities() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=amazon_roots())
    known: Any = context.get_ca_certs()
    names = {dict(part[0] for part in each["subject"])["commonName"] for each in known}
    assert names == {f"Amazon Root CA {number}" for number in range(1, 5)} | {
        "Starfield Services Root Certificate Authority - G2"
    }


class Answer(BaseHTTPRequestHandler):
    """DynamoDB's answer to GetItem for a row that is not there."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-crc32", str(crc32(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate authority that is not Amazon's, which also is the certificate of 127.0.0.1; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "authority.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def endpoint(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A DynamoDB with that certificate; the list of all authorities has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    server = HTTPServer(("127.0.0.1", 0), Answer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"https://localhost:{server.server_port}")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr(clients, "_session", _fresh_session)
    forget_clients()
    yield str(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()
    monkeypatch.undo()
    forget_clients()


def _fresh_session() -> Any:
    import botocore.session

    return botocore.session.Session()


def test_an_authority_that_the_short_list_lacks_costs_one_request(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tmp_path / "amazon-roots.pem"
    short.write_text(amazon_roots())
    monkeypatch.setattr(trust, "ROOTS", short)
    monkeypatch.setattr(trust.trust, "all_roots", False)
    with pytest.raises(Unavailable):
        Table(clients.dynamodb(), "tradepost", Meter()).get(Key("a", "b"))
    assert Table(clients.dynamodb(), "tradepost", Meter()).get(Key("a", "b")) is None


def test_the_short_list_is_used_where_it_suffices(
    endpoint: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "ROOTS", authority)
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere.pem")
    assert Table(clients.dynamodb(), "tradepost", Meter()).get(Key("a", "b")) is None
    assert not trust.trust.all_roots
