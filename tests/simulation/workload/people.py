"""What owners do with users, and people with the pool."""

from typing import Any

from domain.common.errors import Contention, Forbidden, Unavailable
from repositories.dynamodb.token_revocation import MARGIN
from tests.simulation.checks.violation import ViolationError, require
from tests.simulation.workload.actors import Actor, Answer
from tests.simulation.world.functions import Caller, died
from tests.simulation.world.scheduler import BEGINNING

ADDRESSES = 4


def _owner(actor: Actor) -> Caller:
    """An owner, with the token that they have; some use an old one."""
    world = actor.world
    return actor.caller(world.scheduler.chance.choice(world.owners))


def _refused(actor: Actor, caller: Caller, answer: Answer | None, *codes: str) -> bool:
    """Return whether a request was refused, rightly: with one of these codes, or as its token is revoked."""
    if answer is None:
        return True
    if answer.code == "UNAUTHORIZED":
        void = list(actor.world.watch.history.possible(("revoked", caller.subject), 0, answer.until))
        require(void, "A token was called void, and its user had lost nothing.")
        _sign_in_again(actor, caller.subject)
        return True
    lost = actor.world.watch.revoked.get(caller.subject)
    still_good = lost is None or lost[0] > answer.last_try or caller.issued_at >= lost[1]
    require(still_good, "A void token was given an answer.")
    require(answer.status < 400 or answer.code in codes, f"A user's route was told {answer.code}: {answer.body}")
    return answer.status >= 400


def _sign_in_again(actor: Actor, subject: str) -> None:
    """Get a new token, once one would be good again, if the user may have one; it says what the row says."""
    world = actor.world
    world.scheduler.wait(MARGIN.total_seconds() + 2)
    role, status = world.watch.history.last(("user", subject)) or ("", "")
    if (role, status) == ("owner", "active"):
        world.tokens[subject] = int(BEGINNING.timestamp() + world.scheduler.time)
    elif subject in world.owners and len(world.owners) > 1:
        world.owners.remove(subject)


def invite(actor: Actor) -> None:
    """Invite a user, now and then with the same address as others."""
    world, chance = actor.world, actor.world.scheduler.chance
    email, caller = f"user{chance.randrange(ADDRESSES)}@example.com", _owner(actor)
    role = chance.choice(("customer", "staff", "owner"))
    body = {"email": email, "name": world.mark(), "role": role}
    answer = actor.ask("CreateUser", body=body, key=world.mark(), caller=caller)
    if _refused(actor, caller, answer, "EMAIL_TAKEN") or answer is None:
        return
    world.promised.append(("user", answer.body["id"]))
    if role == "owner" and answer.body["id"] not in world.owners:
        world.owners.append(answer.body["id"])
        world.tokens[answer.body["id"]] = int(BEGINNING.timestamp() + world.scheduler.time)


def rename_tenant(actor: Actor) -> None:
    """Change the tenant as an operator who has read it; or make it again, which must be refused."""
    world, chance = actor.world, actor.world.scheduler.chance
    caller = actor.caller("arn:aws:iam::0:user/operator")
    ids = {"tenant_id": world.tenant}
    if chance.random() < 0.2:
        owner = {"email": "another@example.com", "name": "A"}
        again = actor.ask(
            "CreateTenant", body={"id": world.tenant, "name": "A", "owner": owner}, key=world.mark(), caller=caller
        )
        require(again is None or again.code == "INVALID_STATE", "The tenant was made again.")
        return
    read = actor.ask("GetTenant", ids, caller=caller)
    if read is None:
        return
    mark = world.mark()
    answer = actor.ask("ChangeTenant", ids, {"name": mark}, if_match=read.etag, caller=caller)
    if answer and answer.code == "PRECONDITION_FAILED":
        names = set(world.watch.history.possible("tenant", read.since, answer.until))
        require(len(names) > 1, "ChangeTenant answered 412, and nothing had changed.")


def invite_everybody(actor: Actor) -> None:
    """Invite to each address that no user has: no claim of an invitation that died may be left."""
    world = actor.world
    taken = {row["head"]["email"] for row in world.watch.model.rows.values() if row["type"] == "user"}
    owner = next(iter(sorted(world.watch.owners)))
    world.tokens[owner] = int(BEGINNING.timestamp() + world.scheduler.time)
    for number in range(ADDRESSES):
        email = f"user{number}@example.com"
        if email not in taken:
            body = {"email": email, "name": world.mark(), "role": "customer"}
            answer = actor.ask("CreateUser", body=body, key=world.mark(), caller=actor.caller(owner))
            require(answer and answer.status == 201, f"Nobody can be invited at {email}: {answer and answer.body}")


def buy(actor: Actor) -> None:
    """Order something as one of the people, and send it again, as if the answer had not come."""
    world = actor.world
    caller, mark = _owner(actor), world.mark()
    order = {"lines": [{"item_id": world.items[0], "quantity": 1}], "note": mark}
    for _ in range(2):
        answer = actor.ask("PlaceOrder", body=order, key=mark, caller=caller)
        if _refused(actor, caller, answer, "OUT_OF_STOCK"):
            return
        world.scheduler.wait(world.scheduler.chance.random())


def _somebody(actor: Actor) -> str:
    world = actor.world
    known = [each[1] for each in world.promised if each[0] == "user"]
    return str(world.scheduler.chance.choice([*known[-4:], *world.owners]))


def oust(actor: Actor) -> None:
    """Take a user's role, or erase the user."""
    chance, caller, whom = actor.world.scheduler.chance, _owner(actor), _somebody(actor)
    ids = {"user_id": whom}
    if chance.random() < 0.5:
        answer = actor.ask("DeleteUser", ids, caller=caller)
    else:
        patch = {"role": chance.choice(("customer", "owner", "staff"))}
        answer = actor.ask("ChangeUser", ids, patch, if_match="*", caller=caller)
    _refused(actor, caller, answer, "INVALID_STATE", "NOT_FOUND")


def sign_up(actor: Actor) -> None:
    """Sign up with an address, and confirm it."""
    world, chance = actor.world, actor.world.scheduler.chance
    email = f"user{chance.randrange(ADDRESSES)}@example.com"
    name = f"{world.tenant}/{email}"
    if name in world.pool.users:
        return find(actor)
    user = world.pool.add(name, "CONFIRMED")
    world.scheduler.wait(chance.random())
    event: dict[str, Any] = {
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "userName": name,
        "request": {"userAttributes": {"sub": user.subject, "email": email}},
        "response": {},
    }
    for _ in range(2 if chance.random() < 0.2 else 1):
        task = world.functions.trigger("PostConfirmation", event)
        world.scheduler.join([task], 10)
        if task.error and not died(task) and not isinstance(task.error, Forbidden | Contention | Unavailable):
            raise ViolationError(f"PostConfirmation failed: {task.error!r}") from task.error
    return None


def find(actor: Actor) -> None:
    """Find a user by address."""
    email = f"user{actor.world.scheduler.chance.randrange(ADDRESSES)}@example.com"
    answer = actor.ask("ListUsers", query=f"email={email}")
    for user in answer.body["items"] if answer else ():
        require(user["email"] == email and user["status"] == "active", f"A search for {email} showed {user}.")
