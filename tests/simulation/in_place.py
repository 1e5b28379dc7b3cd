"""Models in the place of AWS and of the internet, for the code that runs."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from domain.common.environment import using
from handlers.http.telemetry import logger
from local.simulators.banks import PATH, addresses
from repositories.aws import clients, derived_secrets
from repositories.aws.settings import settings
from repositories.dynamodb.session import Session
from repositories.exports import walking
from repositories.identity import traded_currencies
from repositories.paging import cursors
from repositories.payments import credentials
from repositories.payments.providers import circuit, http
from repositories.payments.providers.paypal.asking import tokens
from repositories.webhooks import sending
from tests.simulation.workload.hooks import Receivers
from tests.simulation.world.banks import HOST, Network
from tests.simulation.world.bucket import Bucket
from tests.simulation.world.client import Client
from tests.simulation.world.flow import Flow
from tests.simulation.world.pool import Pool
from tests.simulation.world.scheduler import Instance


@contextmanager
def in_place(
    client: Client, pool: Pool, flow: Flow, receivers: Receivers, network: Network, bucket: Bucket
) -> Iterator[None]:
    """Let the code meet the models instead of AWS."""
    real, level = clients._session, logger().log_level
    environment = dict(os.environ)
    os.environ |= {"TABLE_NAME": "simulated", "USER_POOL_ID": "simulated", "CURSOR_KEYS": "simulated"}
    os.environ |= {"EVENT_QUEUE": "events", "DELIVERY_QUEUE": "deliveries", "EVENT_BUS": "bus"}
    os.environ |= {"EXPORT_QUEUE": "exports", "EXPORT_BUCKET": "simulated"}
    os.environ |= {"WEBHOOK_KEY": "simulated", "WEBHOOKS_TO_ANYWHERE": "on"}
    os.environ |= {"PROVIDER_SECRETS": "simulated/"} | addresses(f"http://{HOST}{PATH}")
    made = {"dynamodb": client, "cognito-idp": pool, "secretsmanager": network, "s3": bucket} | flow.clients()
    send, sending.send = sending.send, receivers.send
    request, http._send = http._send, network.send
    # Powertools reads the clock of the machine.
    through, straight = circuit.through_circuit, _straight
    circuit.through_circuit = straight  # type: ignore[assignment]
    session: Any = SimpleNamespace(create_client=lambda name, **_: made[name])
    clients._session = lambda: session  # type: ignore[assignment]
    caches = (*clients.ALL, settings)
    for cache in caches:
        cache.cache_clear()
    traded_currencies.cache.clear()
    cursors.keys_cache.clear()
    derived_secrets.key_cache.clear()
    credentials.cache.clear()
    tokens.clear()
    page, walking.PAGE = walking.PAGE, 3
    logger().setLevel("CRITICAL")
    try:
        with using(Instance(client.scheduler)):
            yield
    finally:
        clients._session = real
        sending.send, walking.PAGE = send, page
        http._send, circuit.through_circuit = request, through
        os.environ.clear()
        os.environ |= environment
        logger().setLevel(level)
        for cache in caches:
            cache.cache_clear()
        traded_currencies.cache.clear()
        cursors.keys_cache.clear()
        derived_secrets.key_cache.clear()
    derived_secrets.key_cache.clear()


def _straight(_session: Session, _provider: str, question: Callable[[], Any]) -> Any:
    return question()
