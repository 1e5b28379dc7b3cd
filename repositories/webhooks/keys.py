"""Keys of webhook endpoints, deliveries and lanes."""

from repositories.dynamodb.keys import Key, tenant_pk


def endpoint(tenant: str, endpoint_id: str) -> Key:
    """Return the key of a webhook endpoint, in the partition of the tenant's endpoints."""
    return Key(tenant_pk(tenant, "HOOKS"), endpoint_id)


def deliveries_pk(tenant: str, endpoint_id: str) -> str:
    """Return the partition key of the deliveries to an endpoint."""
    return tenant_pk(tenant, "HOOK", endpoint_id)


def delivery(tenant: str, endpoint_id: str, event_id: str) -> Key:
    """Return the key of the delivery of an event to an endpoint."""
    return Key(deliveries_pk(tenant, endpoint_id), f"DELIVERY#{event_id}")


def lane(tenant: str, endpoint_id: str, subject: str) -> Key:
    """Return the key of the lane in which an endpoint gets the events of a subject, one after the other."""
    return Key(deliveries_pk(tenant, endpoint_id), f"LANE#{subject}")


def waiting(tenant: str, endpoint_id: str, subject: str, sequence: int) -> Key:
    """Return the key of an event's place in its lane."""
    return Key(deliveries_pk(tenant, endpoint_id), f"WAIT#{subject}#{sequence:012}")


def sequence_of(place: Key) -> int:
    """Return the sequence number of an event's place in its lane."""
    return int(place.sk.rpartition("#")[2])


def endpoint_of(pk: str) -> str:
    """Return the endpoint of the partition key of its deliveries."""
    return pk.split("#")[3]
