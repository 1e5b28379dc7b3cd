"""Payment providers of a universe: the simulated banks, reached over a network that loses requests and answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from urllib3.exceptions import ReadTimeoutError

from local.simulators.banks import PATH, Banks
from repositories.dynamodb import keys
from repositories.payments.providers.http import Response
from tests.simulation.world.functions import Caller, Functions
from tests.simulation.world.scheduler import BEGINNING, Scheduler

HOST = "banks.example"
_PAUSE = 0.5
_PATH = {"stripe": "v1/webhook_endpoints", "paypal": "v1/notifications/webhooks"}


@dataclass(slots=True)
class Unreliable:
    """How often something goes wrong, each a share."""

    lost: float = 0.0
    """Requests that do not arrive."""
    unanswered: float = 0.0
    """Answers that are lost."""
    failing: float = 0.0
    """Requests that are answered with an error of the server."""
    silent: float = 0.0
    """Webhooks that are never sent."""
    repeated: float = 0.0
    """Webhooks that are sent again although they were taken."""


@dataclass(slots=True)
class Network:
    """The banks, the way to them, and the webhooks that come back."""

    scheduler: Scheduler
    functions: Functions
    tenant: str
    chance: Random
    """Makes the banks' ids."""
    unreliable: Unreliable = field(default_factory=Unreliable)
    secrets: dict[str, str] = field(default_factory=dict)
    """What Secrets Manager keeps."""
    banks: Banks = field(init=False)

    def __post_init__(self) -> None:
        self.banks = Banks(None, self.chance, lambda: BEGINNING.timestamp() + self.scheduler.time)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: str | None, seconds: float) -> Response:
        """Send a request of a function to a bank, in place of the internet."""
        scheduler, chance, how = self.scheduler, self.scheduler.chance, self.unreliable
        scheduler.wait(0.05 + chance.expovariate(8))
        if chance.random() < how.lost:
            raise self._silence(seconds)
        if chance.random() < how.failing:
            return Response(500, {}, {})
        parts, sent = urlsplit(url), {name.lower(): value for name, value in headers.items()} | {"host": HOST}
        answer = self.banks.handle(method, parts.path, parts.query, sent, (body or "").encode())
        scheduler.note(f"{method} {parts.path} {answer.status}")
        if chance.random() < how.unanswered:
            raise self._silence(seconds)
        scheduler.wait(chance.expovariate(20))
        return Response(answer.status, json.loads(answer.body), answer.headers)

    def _silence(self, seconds: float) -> ReadTimeoutError:
        """Let the time-out pass, and return its error."""
        self.scheduler.wait(min(8.0, max(seconds, 0.0)))
        return ReadTimeoutError(None, "", "lost")  # type: ignore[arg-type]

    def deliver(self, until: Callable[[], bool]) -> None:
        """Send webhooks until something holds."""
        chance = self.scheduler.chance
        while not until():
            for webhook in self.banks.store.due(float("inf")):
                self.banks.store.sent(webhook)
                if chance.random() < self.unreliable.silent:
                    continue
                again = chance.random() < self.unreliable.repeated
                for _ in range(1 + again):
                    self.scheduler.spawn("webhook", lambda webhook=webhook: self._deliver(webhook))  # type: ignore[misc]
            self.scheduler.wait(_PAUSE)

    def _deliver(self, webhook: Any) -> None:
        endpoint = json.loads(webhook.endpoint)
        self.scheduler.wait(self.scheduler.chance.expovariate(0.5))
        at = BEGINNING.timestamp() + self.scheduler.time
        headers = self.banks.signed(endpoint, webhook.body, at)
        ids = {"provider": endpoint["provider"], "tenant_id": self.tenant}
        caller = Caller(self.tenant, "", "owner", 0)
        task = self.functions.request("ReceivePaymentEvent", ids, caller, "", headers, webhook.body.encode())
        self.scheduler.join([task], 30)
        if task.error or self.scheduler.chance.random() < self.unreliable.silent:
            return  # the message is lost, and the sweep finds the row
        key = keys.inbox(self.tenant, endpoint["provider"], json.loads(webhook.body)["id"])
        message = json.dumps({"tenant": self.tenant, **key._asdict()})
        event = {"Records": [{"body": message, "messageId": "1"}]}
        self.scheduler.join([self.functions.trigger("ProcessPaymentEvents", event)], 30)

    def connect(self, provider: str) -> dict[str, str]:
        """Open an account with a webhook, and return its credentials."""
        url = {"stripe": "https://shop.example/", "paypal": "https://shop.example/"}[provider]
        if provider == "stripe":
            made = self._ask("stripe", f"url={url}&enabled_events[]=*", {"authorization": "Bearer sk_test_sim"})
            return {"secret_key": "sk_test_sim", "webhook_secret": made["secret"]}
        grant = {"authorization": "Basic c2ltOnRlc3Rfc2lt"}  # sim:test_sim
        token = self.banks.handle("POST", f"{PATH}/paypal/v1/oauth2/token", "", grant, b"grant_type=client_credentials")
        bearer = {"authorization": f"Bearer {json.loads(token.body)['access_token']}", "host": HOST}
        made = self._ask("paypal", json.dumps({"url": url, "event_types": [{"name": "*"}]}), bearer)
        return {"client_id": "sim", "client_secret": "test_sim", "webhook_id": made["id"]}

    def _ask(self, provider: str, body: str, headers: dict[str, str]) -> Any:
        answer = self.banks.handle("POST", f"{PATH}/{provider}/{_PATH[provider]}", "", headers, body.encode())
        return json.loads(answer.body)

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803
        """Return a secret, as Secrets Manager does."""
        self.scheduler.wait(0.01)
        if SecretId not in self.secrets:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.secrets[SecretId]}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803
        """Replace a secret."""
        self.get_secret_value(SecretId=SecretId)
        self.secrets[SecretId] = SecretString

    def create_secret(self, *, Name: str, SecretString: str) -> None:  # noqa: N803
        """Add a secret."""
        self.scheduler.wait(0.01)
        self.secrets[Name] = SecretString
