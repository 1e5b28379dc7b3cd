"""Data of events."""

from domain.common.model import Model


class EventData(Model):
    """Data of a kind of event, which has the name of its class."""
