"""Clients, as clients are: they give up, ask again with the same key, and remember the answers."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.checks.invariants import Watch
from tests.simulation.checks.violation import ViolationError, require
from tests.simulation.world.functions import Caller, Functions, died
from tests.simulation.world.pool import Pool
from tests.simulation.world.scheduler import BEGINNING, Scheduler

TRIES = 6
_AGAIN = {"CONTENTION", "IDEMPOTENCY_IN_PROGRESS", "UNAVAILABLE"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and the moments between which it was decided."""

    status: int
    body: Any
    etag: str
    replayed: bool
    since: float
    until: float
    tries: int
    last_try: float
    """When it was asked for the last time."""

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) and self.status >= 400 else ""


@dataclass(slots=True)
class World:
    """What all clients of a universe share."""

    scheduler: Scheduler
    functions: Functions
    watch: Watch
    pool: Pool
    tenant: str = "sim"
    commands: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    items: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    discounts: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    floored: set[str] = field(default_factory=set)
    closing: list[str] = field(default_factory=list)
    """Accounts that are opened and closed."""
    transactions: list[tuple[str, str, int]] = field(default_factory=list)
    """Each with the account that it filled, and by how many minor units."""
    owners: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    """By user: when their token was issued, in seconds of the epoch."""
    recent: tuple[str, str] | None = None
    """The last request to move an order: route and order."""
    promised: list[tuple[str, Any]] = field(default_factory=list)
    """Effects that were acknowledged: of which kind, and by what they are recognized."""
    finals: list[tuple[str, str, int]] = field(default_factory=list)
    """Balances that were answered as final: account, instant, minor units."""
    fed: list[tuple[str, int, str]] = field(default_factory=list)
    """Events that the feed has shown: subject, sequence number and id."""
    fed_until: str = ""
    """The feed's last cursor."""
    hooks: dict[str, str] = field(default_factory=dict)
    """Ids of webhook endpoints by name."""
    secrets: dict[str, list[str]] = field(default_factory=dict)
    """Secrets of webhook endpoints by name, as they were answered."""
    rotating: int = 0
    """Rotations of secrets that were asked for."""
    received: list[tuple[str, str, int, str, float]] = field(default_factory=list)
    """Events that receivers have got: endpoint, subject, sequence number, id and time."""
    tested: list[tuple[str, str]] = field(default_factory=list)
    """Test events that were promised: endpoint and id."""
    again: set[str] = field(default_factory=set)
    """Events that were delivered again by hand."""
    payments: list[str] = field(default_factory=list)
    """Ids of payments by providers that were begun."""
    network: Any = None
    """The payment providers, if there are any."""
    resources: dict[str, int] = field(default_factory=dict)
    """Resources and their capacity."""
    bookings: list[str] = field(default_factory=list)
    exports: dict[str, int] = field(default_factory=dict)
    """Exports that were begun, and how many of their parts were shown as done."""
    cancelled: set[str] = field(default_factory=set)
    """Exports that were cancelled."""
    bucket: Any = None
    """The bucket with the files of exports."""
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By key: what was answered for good."""

    def mark(self) -> str:
        """Return a unique text."""
        return f"{self.scheduler.chance.getrandbits(48):012x}"


@dataclass(slots=True)
class Actor:
    """One client."""

    world: World
    name: str
    patience: float = 30.0
    """How long it waits for an answer, in seconds."""

    def caller(self, subject: str = "", role: str = "owner") -> Caller:
        """Return the caller to send a request as: the shop's robot, or a user."""
        issued = self.world.tokens.get(subject, int(BEGINNING.timestamp()))
        return Caller(self.world.tenant, subject or "00000000-0000-4000-8000-000000000000", role, issued)

    def ask(
        self,
        route: str,
        ids: dict[str, str] | None = None,
        body: Any = None,
        *,
        key: str = "",
        query: str = "",
        if_match: str = "",
        caller: Caller | None = None,
    ) -> Answer | None:
        """Send a request until there is an answer for good, or give up. Raises ViolationError for a wrong one."""
        world, scheduler = self.world, self.world.scheduler
        world.commands[route] += 1
        headers = {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": if_match} if if_match else {}
        raw = b"" if body is None else json.dumps(body).encode()
        since = scheduler.time
        for tries in range(1, TRIES + 1):
            asked = scheduler.time
            task = world.functions.request(route, ids or {}, caller or self.caller(), query, headers, raw)
            if not scheduler.join([task], self.patience) or died(task):
                scheduler.note(f"{route} no answer")
            elif task.error:
                raise ViolationError(f"{route} failed: {task.error!r}") from task.error
            else:
                answer = _answer(task.result, since, scheduler.time, tries, asked)
                scheduler.note(f"{route} {answer.status} {answer.code}")
                world.codes[answer.code or str(answer.status)] += 1
                require(answer.status < 500 or answer.status == 503, f"{route} answered {answer.status}: {answer.body}")
                if answer.code not in _AGAIN:
                    self._remember(route, key, answer)
                    return answer
            scheduler.wait(scheduler.chance.random() * 2)
        return None

    def walk(self, route: str, ids: dict[str, str] | None = None, *, limit: int) -> list[Any] | None:
        """Return all entries of a list, page by page, or None if a page could not be had."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.ask(route, ids, query=f"limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
            if answer is None:
                return None
            found += answer.body["items"]
            cursor = answer.body["next_cursor"]
        return found

    def _remember(self, route: str, key: str, answer: Answer) -> None:
        """One key has one answer, if that is kept."""
        if not key or answer.status in {400, 401, 403, 429} or _is_open(answer):
            return
        told = (answer.status, json.dumps(answer.body, sort_keys=True))
        if answer.status >= 400:
            told = (answer.status, answer.code)
        first = self.world.keys.setdefault(f"{route} {key}", told)
        require(first == told, f"{route}: one key was answered {first} and {told}.")


def _is_open(answer: Answer) -> bool:
    """Return whether an answer is of something that a payment provider has not decided, so that it may be another."""
    shown = answer.body if isinstance(answer.body, dict) else {}
    open_ones = {"requires_action", "processing", "pending"}
    is_open = answer.status == 202 or ("provider" in shown and shown.get("status") in open_ones)
    return is_open or answer.code in {"PAYMENT_IN_PROGRESS", "PROVIDER_UNAVAILABLE"}


def _answer(response: dict[str, Any], since: float, until: float, tries: int, last_try: float) -> Answer:
    headers = {name.lower(): values[0] for name, values in response["multiValueHeaders"].items()}
    body = json.loads(response["body"]) if response.get("body") else None
    replayed = "idempotent-replayed" in headers
    return Answer(response["statusCode"], body, headers.get("etag", ""), replayed, since, until, tries, last_try)
