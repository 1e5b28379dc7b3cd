"""How a payment by a provider goes on: authorise, lock the order, capture, finish.

Money moves only after a transaction has made the order unexpirable. What comes next follows from three things alone:
the stage that is stored, what the provider holds when it is asked, and whether the order can be paid. Requests,
webhooks and the sweep take the same step, twice or at once, and a death between two steps is healed by the next.
"""

from enum import StrEnum

from domain.common.errors import PaymentInProgress


class Stage(StrEnum):
    """Stage of a payment as it is stored."""

    STARTED = "started"
    """It may exist at the provider, or not."""
    CREATED = "created"
    """The customer can confirm it."""
    CAPTURING = "capturing"
    """It has locked its order, and may be captured."""
    CAPTURED = "captured"
    """It has paid its order."""
    VOIDING = "voiding"
    """It is not wanted any more, and may be voided."""
    VOIDED = "voided"
    RETURNING = "returning"
    """Its money came too late, is in the books as owed, and is being given back."""
    RETURNED = "returned"
    FAILED = "failed"


SETTLED = frozenset({Stage.CAPTURED, Stage.VOIDED, Stage.RETURNED, Stage.FAILED})
"""Stages after which nothing more is to be done."""


class Request(StrEnum):
    """What a provider is asked to do. Each can be repeated without another effect, and answers what it holds."""

    CREATE = "create"
    LOOK = "look"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


REQUESTS = {
    Stage.STARTED: Request.CREATE,
    Stage.CREATED: Request.LOOK,
    Stage.CAPTURING: Request.CAPTURE,
    Stage.VOIDING: Request.VOID,
    Stage.RETURNING: Request.REFUND,
}
"""What the provider is asked at each stage."""


class Held(StrEnum):
    """What a provider holds of a payment."""

    NOTHING = "nothing"
    """The customer has not confirmed it, or its capture was refused."""
    AUTHORIZATION = "authorization"
    MONEY = "money"
    GIVEN_BACK = "given back"
    ENDED = "ended"
    """It was voided or refused, or has lapsed: nothing can come of it any more."""


class Payable(StrEnum):
    """Whether an order can be paid."""

    FREE = "free"
    LOCKED = "locked"
    """Another payment of it is being captured."""
    OVER = "over"
    """It was paid otherwise, cancelled, or has expired."""


class Step(StrEnum):
    """What is done next, in one transaction."""

    NOTE = "note"
    """Note the provider's ids: the customer can confirm."""
    LOCK = "lock"
    """Lock the order for this payment, and capture it then."""
    FINISH = "finish"
    """Make the order paid, and post the payment."""
    REOPEN = "reopen"
    """The capture was refused: unlock the order, so that it can be paid otherwise."""
    UNLOCK = "unlock"
    """The capture was refused, and the customer could confirm again: unlock the order, and let it be voided."""
    VOID = "void"
    """Let it be voided."""
    BOOK_LATE = "book late"
    """Post money that came too late as owed, and let it be given back."""
    GIVE_BACK = "give back"
    """Post that late money was given back."""
    CLOSE = "close"
    """Nothing came of it."""
    WAIT = "wait"


def next_step(stage: Stage, held: Held, payable: Payable) -> Step:
    """Return what is done next with a payment, given what its provider answered to `REQUESTS[stage]`."""
    match stage:
        case Stage.STARTED:
            return Step.NOTE
        case Stage.CAPTURING:
            refused = {Held.ENDED: Step.REOPEN, Held.GIVEN_BACK: Step.REOPEN, Held.NOTHING: Step.UNLOCK}
            return Step.FINISH if held is Held.MONEY else refused.get(held, Step.WAIT)
        case Stage.RETURNING:
            return Step.GIVE_BACK if held is Held.GIVEN_BACK else Step.WAIT
        case Stage.CREATED | Stage.VOIDING:
            return _open(stage, held, payable)
        case _:
            return Step.WAIT


def _open(stage: Stage, held: Held, payable: Payable) -> Step:
    match held:
        case Held.ENDED | Held.GIVEN_BACK:
            return Step.CLOSE
        case Held.MONEY:
            return {Payable.FREE: Step.FINISH, Payable.OVER: Step.BOOK_LATE}.get(payable, Step.WAIT)
        case Held.AUTHORIZATION if stage is Stage.CREATED and payable is Payable.FREE:
            return Step.LOCK
    return Step.VOID if stage is Stage.CREATED and payable is Payable.OVER else Step.WAIT


STEPS = {
    Step.NOTE: Stage.CREATED,
    Step.LOCK: Stage.CAPTURING,
    Step.FINISH: Stage.CAPTURED,
    Step.REOPEN: Stage.FAILED,
    Step.UNLOCK: Stage.VOIDING,
    Step.VOID: Stage.VOIDING,
    Step.BOOK_LATE: Stage.RETURNING,
    Step.GIVE_BACK: Stage.RETURNED,
    Step.CLOSE: Stage.VOIDED,
}
"""Stage after each step."""


def cancelled(stage: Stage) -> Stage:
    """Return the stage of a payment after it was cancelled. Raises PaymentInProgress if that is too late."""
    if stage in {Stage.CREATED, Stage.VOIDING}:
        return Stage.VOIDING
    if stage in {Stage.STARTED, Stage.CAPTURING}:
        raise PaymentInProgress("The payment is being processed. Ask for it again in a moment.")
    return stage
