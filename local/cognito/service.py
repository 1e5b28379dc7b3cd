"""HTTP interface of the local user pool: AWS's JSON protocol 1.1, and the public keys of tokens."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from local.cognito.accounts import Accounts
from local.cognito.administration import Administration
from local.cognito.errors import CognitoError
from local.cognito.requests import parsed, required
from local.cognito.sign_in import SignIn
from local.cognito.tokens import Tokens
from local.cognito.triggers import Invoke, Triggers
from local.cognito.users import POOL_ID, Users
from local.loopback import Answered, Asked, served

KEYS_PATH = f"/{POOL_ID}/.well-known/jwks.json"
SIGN_IN_AS = "LocalSignInAs"
"""Operation of this pool alone: sign a user in without a password, for the command line."""
PREFIX = "AWSCognitoIdentityProviderService."
_JSON = "application/x-amz-json-1.1"

type Operation = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP response."""

    status: int
    body: bytes
    content_type: str = _JSON


class UserPoolService:
    """The user pool and its operations by name."""

    def __init__(
        self, key: RSAPrivateKey, users: Users, invoke: Invoke, notify: Callable[[str], None] = lambda _: None
    ) -> None:
        triggers = Triggers(invoke)
        self.users = users
        self._tokens = Tokens(key, users, triggers)
        sign_in, accounts = SignIn(users, self._tokens), Accounts(users, self._tokens, notify)
        admin = Administration(users, triggers, notify)
        self._public: dict[str, Operation] = {
            "InitiateAuth": sign_in.initiate_auth,
            "RespondToAuthChallenge": sign_in.respond_to_auth_challenge,
            "GetTokensFromRefreshToken": lambda request: sign_in.refresh(required(request, "RefreshToken")),
            "SignUp": accounts.sign_up,
            "ResendConfirmationCode": accounts.resend_confirmation_code,
            "ConfirmSignUp": accounts.confirm_sign_up,
            "ForgotPassword": accounts.forgot_password,
            "ConfirmForgotPassword": accounts.confirm_forgot_password,
            "ChangePassword": accounts.change_password,
            "GetUser": accounts.get_user,
            "GlobalSignOut": accounts.global_sign_out,
            "RevokeToken": accounts.revoke_token,
        }
        self._all = self._public | {
            "AdminCreateUser": admin.admin_create_user,
            "AdminGetUser": admin.admin_get_user,
            "AdminDeleteUser": admin.admin_delete_user,
            "AdminSetUserPassword": admin.admin_set_user_password,
            "AdminListGroupsForUser": admin.admin_list_groups_for_user,
            "AdminAddUserToGroup": admin.admin_add_user_to_group,
            "AdminRemoveUserFromGroup": admin.admin_remove_user_from_group,
            SIGN_IN_AS: lambda request: sign_in.signed_in(users.get(required(request, "Username"))),
        }

    def handle(self, target: str, body: bytes, *, administrator: bool = False) -> Answer:
        """Return the response to an operation; `target` is the header X-Amz-Target.

        Only administrators may call those whose names begin with Admin. In AWS they need a signature.
        """
        operations = self._all if administrator else self._public
        operation = operations.get(target.removeprefix(PREFIX), _no_operation)
        try:
            return Answer(200, json.dumps(operation(parsed(body))).encode())
        except CognitoError as error:
            shown = {"__type": error.code, "message": error.message}
            return Answer(400, json.dumps(shown).encode())
        except Exception:
            logging.getLogger("tradepost").exception("the user pool failed")
            return Answer(500, json.dumps({"__type": "InternalErrorException", "message": "Internal error"}).encode())

    def keys(self) -> Answer:
        """Return the public keys that verify tokens."""
        return Answer(200, json.dumps(self._tokens.key_set()).encode(), "application/json")


def _no_operation(_request: dict[str, Any]) -> dict[str, Any]:
    raise CognitoError("InvalidAction", "The local user pool has no such operation.")


@contextmanager
def listening(service: UserPoolService) -> Iterator[str]:
    """Serve all operations on a free port of the loopback interface, and yield the URL."""

    def answer(asked: Asked) -> Answered:
        answered = service.handle(asked.headers.get("x-amz-target", ""), asked.body, administrator=True)
        return Answered(answered.status, {"Content-Type": answered.content_type}, answered.body)

    with served(answer, "POST") as endpoint:
        yield endpoint
