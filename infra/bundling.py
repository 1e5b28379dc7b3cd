"""Build of the zips of functions: uv installs packages for Lambda's architecture, without Docker.

Builds are reproducible: files are sorted, dates are fixed, and compiled modules contain no date. The zip includes
compiled modules because Lambda cannot store its own: without them, every cold start would compile again.
"""

import compileall
import hashlib
import py_compile
import shutil
import ssl
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import botocore

from handlers.registry import ROOT
from local.tools import uv
from repositories.aws.trust import ROOTS

PACKAGES = ("domain", "handlers", "repositories")
NOT_DEPLOYED = ("__pycache__", "registry.py", "asyncapi.py", "openapi.py", "openapi_schemas.py")
"""Files of those packages that only tools use."""
FILES = ("docs/openapi.json", "docs/asyncapi.json")
LOCK = ROOT / "requirements.lock"
GROUPS = {each: ROOT / f"requirements-{each}.lock" for each in ("calendar", "exports")}
"""Packages of functions that have a zip of their own, beyond those of all functions."""
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
"""uv's platform names by Lambda architecture. The python3.13 runtime is based on Amazon Linux 2023 (glibc 2.34)."""
_TASK_ROOT = "/var/task"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BEGINNING, _END_OF_CERTIFICATE = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_AMAZON_ROOTS = {
    *(("Amazon", f"Amazon Root CA {number}") for number in range(1, 5)),
    ("Starfield Technologies, Inc.", "Starfield Services Root Certificate Authority - G2"),
}
"""Organization and name of the roots of Amazon Trust Services (https://www.amazontrust.com/repository/)."""
_UTILITIES = "aws_lambda_powertools/utilities"
_UNUSED = (
    *("auth_alpha", "data_masking", "feature_flags", "idempotency", "kafka"),
    *("parameters", "parser/envelopes", "streaming", "validation"),
)
_NEVER_IMPORTED = (
    *("pydantic/v1", "pydantic/mypy.py", "wrapt/_wrappers.c"),
    *(f"{_UTILITIES}/{name}" for name in _UNUSED),
)
"""Parts of libraries that nothing here imports: another API, and a plugin of a type checker."""
_IN_NO_BUNDLE = ("__pycache__", "bin", "RECORD", "INSTALLER", "REQUESTED", "WHEEL", "licenses", "*.pyi", "py.typed")


def bundle(cache: Path, architecture: str = "arm64", group: str = "") -> Path:
    """Return the zip for a Lambda architecture, with the packages of a group; build it only if inputs have changed."""
    platform = PLATFORMS[architecture]
    archive = cache / f"{group or 'functions'}-{platform}-{_fingerprint(group)}.zip"
    if not archive.exists():
        print(f"Building the zip of {group or 'functions'} for {platform} …", file=sys.stderr)
        build(archive, platform, group)
    return archive


def bundles(cache: Path, architecture: str) -> dict[str, Path]:
    """Return the zips by group of packages; that of most functions has no group."""
    return {group: bundle(cache, architecture, group) for group in ("", *GROUPS)}


def _locks(group: str) -> list[Path]:
    return [LOCK, *([GROUPS[group]] if group else [])]


def build(archive: Path, platform: str, group: str = "") -> None:
    """Build the zip at `archive`."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as workspace:
        content = Path(workspace, "content")
        _install(Path(workspace, "packages"), content, platform, _locks(group))
        _compile(content, content, keep_sources=False)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, content / package, ignore=shutil.ignore_patterns(*NOT_DEPLOYED))
        for file in FILES:
            (content / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, content / file)
        for package in PACKAGES:
            _compile(content / package, content, keep_sources=True)
        (content / ROOTS.name).write_text(amazon_roots())
        fresh = Path(workspace, "fresh.zip")
        _zip(content, fresh)
        fresh.replace(archive)


def _install(packages: Path, content: Path, platform: str, locks: Sequence[Path]) -> None:
    command = [
        uv(),
        *("pip", "install", "--quiet", "--target", str(packages), "--require-hashes"),
        *(each for lock in locks for each in ("-r", str(lock))),
        *("--python-platform", platform, "--python-version", "3.13", "--only-binary", ":all:"),
        *("--no-deps", "--link-mode", "copy"),
    ]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603
    shutil.copytree(packages, content, ignore=shutil.ignore_patterns(*_IN_NO_BUNDLE))
    for part in (content / each for each in _NEVER_IMPORTED):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def _compile(content: Path, root: Path, *, keep_sources: bool) -> None:
    """Compile all modules. Without sources (a third of the zip), each compiled module takes its source's place."""
    compileall.compile_dir(
        content,
        quiet=1,
        stripdir=str(root),
        prependdir=_TASK_ROOT,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        legacy=not keep_sources,
    )
    if not keep_sources:
        for source in content.rglob("*.py"):
            source.unlink()


def amazon_roots() -> str:
    """Return Amazon's certificate authorities from the list that botocore has, in PEM."""
    blocks = (Path(botocore.__file__).parent / "cacert.pem").read_text().split(_END_OF_CERTIFICATE)
    found = [f"{_BEGINNING}{block.partition(_BEGINNING)[2]}{_END_OF_CERTIFICATE}\n" for block in blocks[:-1]]
    return "".join(each for each in found if _organization_and_name(each) in _AMAZON_ROOTS)


def _organization_and_name(certificate: str) -> tuple[str, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    known: Any = context.get_ca_certs()[0]
    subject = {name: value for part in known["subject"] for name, value in part}
    return subject.get("organizationName", ""), subject.get("commonName", "")


def _zip(content: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for file in sorted(path for path in content.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(str(file.relative_to(content)), _EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, file.read_bytes())


def _fingerprint(group: str) -> str:
    digest = hashlib.sha256(sys.version.encode())
    own = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    for file in (*_locks(group), Path(__file__), *(ROOT / name for name in FILES), *own):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
