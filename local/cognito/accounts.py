"""What users do with their own account: sign up, confirm the address, change or reset the password, sign out."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.cognito.errors import CognitoError, not_authorized
from local.cognito.tokens import Tokens
from local.cognito.users import CONFIRMED, POOL, UNCONFIRMED, PoolUser, Users, listed, unlisted

type Request = dict[str, Any]
type Result = dict[str, Any]

_WRITABLE = {"email", "name"}
"""Attributes that the app client may write."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Operations on a user's own account. `notify` is called with what Cognito would send by e-mail."""

    users: Users
    tokens: Tokens
    notify: Callable[[str], None]

    def sign_up(self, request: Request) -> Result:
        """Add a user, who then has to confirm the address."""
        attributes = unlisted(request.get("UserAttributes"))
        if set(attributes) - _WRITABLE:
            raise not_authorized("A client attempted to write unauthorized attribute")
        name = str(request.get("Username")).lower()
        asking = PoolUser(name, "", UNCONFIRMED, attributes)
        asking.set_password(str(request.get("Password")))
        if self.users.find(name):
            raise CognitoError("UsernameExistsException", "User already exists")
        self.tokens.triggers.pre_sign_up(
            asking, "SignUp", request.get("ClientMetadata"), unlisted(request.get("ValidationData")) or None
        )
        user = self.users.add(name, UNCONFIRMED, attributes)
        user.set_password(str(request.get("Password")))
        return {"UserConfirmed": False, "UserSub": user.subject} | self._send_code(user)

    def resend_confirmation_code(self, request: Request) -> Result:
        """Send another code to confirm the address."""
        return self._send_code(self.users.get(str(request.get("Username"))))

    def confirm_sign_up(self, request: Request) -> Result:
        """Confirm the address with the code that was sent there."""
        user = self.users.get(str(request.get("Username")))
        if user.status != UNCONFIRMED:
            raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
        _use_code(user, request)
        user.status, user.attributes["email_verified"] = CONFIRMED, "true"
        self.users.save()
        self.tokens.triggers.post_confirmation(user, "ConfirmSignUp", request.get("ClientMetadata"))
        return {}

    def forgot_password(self, request: Request) -> Result:
        """Send a code to set another password."""
        return self._send_code(self.users.get(str(request.get("Username"))))

    def confirm_forgot_password(self, request: Request) -> Result:
        """Set another password with the code that was sent."""
        user = self.users.get(str(request.get("Username")))
        _use_code(user, request)
        user.set_password(str(request.get("Password")))
        user.status, user.attributes["email_verified"] = CONFIRMED, "true"
        self.users.save()
        self.tokens.triggers.post_confirmation(user, "ConfirmForgotPassword", request.get("ClientMetadata"))
        return {}

    def change_password(self, request: Request) -> Result:
        """Set another password with the present one."""
        user = self.tokens.user_of(str(request.get("AccessToken")))
        if not user.password.matches(POOL, user.name, str(request.get("PreviousPassword"))):
            raise not_authorized()
        user.set_password(str(request.get("ProposedPassword")))
        self.users.save()
        return {}

    def get_user(self, request: Request) -> Result:
        """Return the user of an access token."""
        user = self.tokens.user_of(str(request.get("AccessToken")))
        return {"Username": user.name, "UserAttributes": listed(user.shown())}

    def global_sign_out(self, request: Request) -> Result:
        """Revoke all refresh tokens of a user."""
        user = self.tokens.user_of(str(request.get("AccessToken")))
        user.refresh_tokens.clear()
        self.users.save()
        return {}

    def revoke_token(self, request: Request) -> Result:
        """Revoke a refresh token."""
        token = str(request.get("Token"))
        self.users.with_refresh_token(token).refresh_tokens.remove(token)
        self.users.save()
        return {}

    def _send_code(self, user: PoolUser) -> Result:
        user.code = f"{self.users.chance.randrange(10**6):06}"
        self.users.save()
        self.notify(f"Code for {user.attributes.get('email')} ({user.name}): {user.code}")
        medium = {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "***"}
        return {"CodeDeliveryDetails": medium}


def _use_code(user: PoolUser, request: Request) -> None:
    """Use up the user's code. Raises CognitoError if it is another."""
    if not user.code or not hmac.compare_digest(user.code, str(request.get("ConfirmationCode"))):
        raise CognitoError("CodeMismatchException", "Invalid verification code provided, please try again.")
    user.code = ""
