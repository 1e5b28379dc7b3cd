"""Types of events, and the envelope in which clients see them (CloudEvents 1.0)."""

import re
from typing import Literal

from pydantic import JsonValue

from domain.common.model import Model, Timestamp
from domain.event_data.kinds import KINDS


def type_of(kind: str) -> str:
    """Return the type of a kind of event: `OrderPaid` is `tradepost.order.paid`."""
    subject, *words = re.findall("[A-Z][a-z]+", kind)
    return f"tradepost.{subject.lower()}.{'_'.join(words).lower()}"


TYPES = {type_of(kind): kind for kind in KINDS}
"""Kinds of events by type."""
SCHEMA = "/v1/asyncapi.json#/components/schemas/"
"""Address of the schemas of events' data."""


class Event(Model):
    """An event in the envelope of CloudEvents 1.0. `sequence` numbers a subject's events from 1 without gaps."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Timestamp
    sequence: str
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    data: dict[str, JsonValue]


class EventPage(Model):
    """A page of events, oldest first. `next_cursor` goes on from there, also after the last page."""

    items: list[Event]
    next_cursor: str
