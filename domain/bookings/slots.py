"""Rules of a resource against a wanted time, and the times that are free."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from domain.bookings.calendar import Entry, Taken, counting, seconds
from domain.bookings.hours import Span, merged
from domain.bookings.resources import Resource, ResourceStatus
from domain.common.errors import Flaw, InvalidState, OutsideHours, SlotTaken
from domain.common.model import Model, Timestamp, to_rfc3339
from domain.common.validation import invalid_input

MAX_RANGE = timedelta(days=62)
MAX_SLOTS = 5_000
"""Maximum times that are looked at for one request."""
NEAREST = 4
"""Number of free times that a refusal names."""
_NEAR = timedelta(days=7)
"""How far from a wanted time free ones are looked for, at most."""


class FreeSlot(Model):
    """A time at which a booking is possible, and the units that are free throughout it."""

    starts_at: Timestamp
    ends_at: Timestamp
    units: int


class Availability(Model):
    """Times that are free, in order."""

    slots: list[FreeSlot]


def require_within_rules(resource: Resource, during: Span, at: datetime) -> None:
    """Raise InvalidState if a resource is archived, OutsideHours with a flaw for each rule against a time."""
    if resource.status is ResourceStatus.ARCHIVED:
        raise InvalidState("The resource is archived.")
    flaws = [*_flaws(resource, during, at)]
    if flaws:
        raise OutsideHours(*flaws)


def _flaws(resource: Resource, during: Span, at: datetime) -> Iterator[Flaw]:
    length = during.end - during.start
    if length < timedelta(minutes=resource.min_minutes):
        yield Flaw("/ends_at", "TOO_SHORT", f"A booking has {resource.min_minutes} minutes at least.")
    if length > timedelta(minutes=resource.max_minutes):
        yield Flaw("/ends_at", "TOO_LONG", f"A booking has {resource.max_minutes} minutes at most.")
        return
    if during.start < at + timedelta(minutes=resource.lead_minutes):
        yield Flaw("/starts_at", "TOO_SOON", f"It may begin {resource.lead_minutes} minutes from now at the earliest.")
    elif during.start > at + timedelta(days=resource.horizon_days):
        yield Flaw("/starts_at", "TOO_FAR", f"It may begin {resource.horizon_days} days from now at the latest.")
    elif not resource.is_open(during):
        yield Flaw("/starts_at", "CLOSED", "It is not open all of this time.")
    elif not resource.is_on_slot(during):
        yield Flaw("/starts_at", "NOT_ON_SLOT", f"It begins every {resource.slot_minutes} minutes.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for: a duration, and a number of units."""

    length: timedelta
    units: int


def free_slots(resource: Resource, entries: Iterable[Entry], wish: Wish, within: Span, at: datetime) -> list[FreeSlot]:
    """Return the times that begin within a span, and at which as many units are free for as long as wished, in order.

    `entries` are those on all pages that such times touch, with their buffers. If a resource can be booked at any time,
    the times follow each other, from the beginning of each time that is free on. Raises ValidationFailed if there are
    too many times to look at.
    """
    looked_at = [*islice(_slots(resource, entries, wish, within, at), MAX_SLOTS + 1)]
    if len(looked_at) > MAX_SLOTS:
        raise invalid_input([Flaw("/query/to", "TOO_MANY_SLOTS", "There are too many times: ask for fewer days.")])
    return [slot for slot in looked_at if slot and slot.units >= wish.units]


def _slots(
    resource: Resource, entries: Iterable[Entry], wish: Wish, within: Span, at: datetime
) -> Iterator[FreeSlot | None]:
    """Yield the times to look at, with the units that are free then; None for those that the rules refuse."""
    taken = Taken(dict.fromkeys(counting(entries, seconds(at))))
    for during in _candidates(resource, taken, wish, within, at):
        units = _free(resource, taken, during) if during else 0
        yield FreeSlot(starts_at=during.start, ends_at=during.end, units=units) if during else None


def _free(resource: Resource, taken: Taken, during: Span) -> int:
    occupied = resource.occupied(during)
    return resource.capacity - taken.peak(seconds(occupied.start), seconds(occupied.end))


def _candidates(resource: Resource, taken: Taken, wish: Wish, within: Span, at: datetime) -> Iterator[Span | None]:
    """Yield the times to look at, and None for each that is not within opening hours."""
    if resource.status is ResourceStatus.ARCHIVED or not _is_allowed(resource, wish):
        return
    first = max(within.start, at + timedelta(minutes=resource.lead_minutes))
    last = min(within.end - timedelta(seconds=1), at + timedelta(days=resource.horizon_days))
    if first > last:
        return
    opening = resource.opening(Span(first, last + wish.length))
    whole = merged(iter(opening))
    if resource.slot_minutes is None:
        yield from _one_after_another(resource, taken, wish, whole, Span(first, last))
        return
    step, before = timedelta(minutes=resource.slot_minutes), None
    for start in heapq.merge(*(_raster(span, step, first, last) for span in opening)):  # hours may overlap
        during = Span(start, start + wish.length)
        is_open = start != before and whole[bisect_right(whole, start, key=_begin) - 1].contains(during)
        yield during if is_open else None
        before = start


def _begin(span: Span) -> datetime:
    return span.start


def _raster(span: Span, step: timedelta, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the times of a span, a step apart from its beginning on, between two times."""
    start = span.start + step * max(0, -((span.start - first) // step))
    while start < span.end and start <= last:
        yield start
        start += step


def _is_allowed(resource: Resource, wish: Wish) -> bool:
    return timedelta(minutes=resource.min_minutes) <= wish.length <= timedelta(minutes=resource.max_minutes)


def _one_after_another(
    resource: Resource, taken: Taken, wish: Wish, opening: Sequence[Span], starts: Span
) -> Iterator[Span]:
    """Yield times from the beginning of opening on, and from each time on at which units are given back."""
    before = timedelta(minutes=resource.buffer_before_minutes)
    for span in opening:
        start = _whole_second(max(span.start, starts.start))
        changes = iter(
            datetime.fromtimestamp(each, UTC) + before
            for each in taken.changes(seconds(span.start - before), seconds(span.end) + 1)
        )
        change = next(changes, None)
        while start <= starts.end and start + wish.length <= span.end:
            during = Span(start, start + wish.length)
            yield during
            if _free(resource, taken, during) >= wish.units:
                start += wish.length
                continue
            while change is not None and change <= start:
                change = next(changes, None)
            if change is None:
                break
            start = change


def _whole_second(at: datetime) -> datetime:
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)


def around(resource: Resource, during: Span) -> Span:
    """Return the span around a time in which free ones are looked for."""
    step = during.end - during.start if resource.slot_minutes is None else timedelta(minutes=resource.slot_minutes)
    far = min(_NEAR, step * (MAX_SLOTS // 4))
    return Span(during.start - far, during.end + far)


def slot_taken(
    resource: Resource, entries: Iterable[Entry], during: Span, units: int, free: int, at: datetime
) -> SlotTaken:
    """Return the error of a time with too few free units, with the free times that are nearest to it.

    `entries` are those on all pages that `around` touches.
    """
    wish = Wish(during.end - during.start, units)
    looked_at = islice(_slots(resource, entries, wish, around(resource, during), at), MAX_SLOTS)
    found = [slot for slot in looked_at if slot and slot.units >= units]
    nearest = sorted(found, key=lambda slot: abs(slot.starts_at - during.start))[:NEAREST]
    return SlotTaken(
        Flaw("/starts_at", "SLOT_TAKEN", f"{free} units are free then."),
        *(Flaw("/starts_at", "FREE_AT", to_rfc3339(each.starts_at)) for each in sorted(nearest, key=_start)),
    )


def _start(slot: FreeSlot) -> datetime:
    return slot.starts_at
