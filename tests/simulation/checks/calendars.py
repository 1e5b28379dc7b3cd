"""What must hold of bookings and calendars after every decision."""

from datetime import datetime

from domain.bookings.calendar import peak, seconds
from domain.bookings.status import MOVES, BookingStatus
from repositories.bookings.calendar import entries_of
from repositories.dynamodb.codec import Row
from tests.simulation.checks.history import History
from tests.simulation.checks.violation import require
from tests.simulation.world.functions import SKEW
from tests.simulation.world.model import Commit, Model
from tests.simulation.world.scheduler import BEGINNING


def check_page(commit: Commit, model: Model, history: History, row: Row) -> None:
    """Check that no instant has more units than there are, by any clock, and remember what the page has."""
    entries = [*entries_of(row)]
    resource = model.rows[row["pk"], "RESOURCE"]
    for_sure = [each for each in entries if each.counts(seconds(BEGINNING) + int(commit.decided + SKEW) + 1)]
    if for_sure:
        most = peak(for_sure, min(each.start for each in for_sure), max(each.end for each in for_sure))
        require(most <= resource["most"], f"{row['pk']} {row['sk']} has {most} units at once.")
    number = seconds(_start(row)) // 86_400
    history.add(("page", row["pk"].split("#")[-1], number), tuple(entries), commit.decided, commit.complete)


def check_booking(before: Row | None, row: Row | None) -> None:
    """Check that a booking changes as bookings do."""
    require(row is not None, "A booking was removed.")
    after, was = (row or {})["head"], before["head"] if before else None
    if was is None:
        require(after["version"] == 1, f"{after['id']} began with version {after['version']}.")
        return
    require(after["version"] == was["version"] + 1, f"{after['id']} missed a version.")
    move = BookingStatus(was["status"]), BookingStatus(after["status"])
    # An order of bookings that was refunded frees those that were confirmed.
    require(move[0] is move[1] or move in MOVES, f"{after['id']} was {move[0]} and is {move[1]}.")


def _start(row: Row) -> datetime:
    return datetime.fromisoformat(row["sk"].partition("#")[2])
