"""Local Secrets Manager, as far as functions use it (AWS Secrets Manager API reference), kept in one file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from local.loopback import Answered, Asked, served

ENDPOINT = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
"""Environment variable that leads AWS clients to it."""


class SecretsError(Exception):
    """An error as the service answers it."""


class Secrets:
    """Secrets by name. `path` is their file, readable by its owner only (None: in memory)."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, Lock()
        self._secrets: dict[str, str] = json.loads(path.read_text()) if path and path.exists() else {}

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request. Raises SecretsError."""
        name = request.get("SecretId") or request.get("Name") or ""
        with self._lock:
            is_there = name in self._secrets
            match operation:
                case "CreateSecret" if is_there:
                    raise SecretsError("ResourceExistsException")
                case "CreateSecret":
                    self._secrets[name] = request["SecretString"]
                case "PutSecretValue" | "GetSecretValue" | "DeleteSecret" if not is_there:
                    raise SecretsError("ResourceNotFoundException")
                case "PutSecretValue":
                    self._secrets[name] = request["SecretString"]
                case "GetSecretValue":
                    return {"Name": name, "SecretString": self._secrets[name]}
                case "DeleteSecret":
                    del self._secrets[name]
                case _:
                    raise SecretsError("InvalidRequestException")
            self._save()
        return {"Name": name}

    def _save(self) -> None:
        if self._path:
            temporary = self._path.with_suffix(".new")
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps(self._secrets))
            temporary.replace(self._path)


@contextmanager
def secrets_manager(path: Path | None) -> Iterator[str]:
    """Serve secrets on the loopback interface and yield the endpoint."""
    secrets = Secrets(path)

    def answer(asked: Asked) -> Answered:
        try:
            operation = asked.headers["x-amz-target"].rpartition(".")[2]
            status, found = 200, secrets.answer(operation, json.loads(asked.body))
        except SecretsError as error:
            status, found = 400, {"__type": str(error), "message": str(error)}
        return Answered(status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(found).encode())

    with served(answer, "POST") as endpoint:
        yield endpoint
