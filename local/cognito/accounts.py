"""What users do with their own account: sign up, confirm the address, change or reset the password, sign out."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from local.cognito.errors import CognitoError, invalid_parameter, not_authorized
from local.cognito.requests import Request, Result, required
from local.cognito.tokens import Tokens
from local.cognito.users import CONFIRMED, INVITED, POOL, UNCONFIRMED, PoolUser, Users, listed, unlisted

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
        user = self.users.new(required(request, "Username"), UNCONFIRMED, attributes, required(request, "Password"))
        if self.users.find(user.name):
            raise CognitoError("UsernameExistsException", "User already exists")
        self.tokens.triggers.pre_sign_up(
            user, "SignUp", request.get("ClientMetadata"), unlisted(request.get("ValidationData")) or None
        )
        self.users.add(user)
        return {"UserConfirmed": False, "UserSub": user.subject} | self._send_code(user)

    def resend_confirmation_code(self, request: Request) -> Result:
        """Send another code to confirm the address."""
        user = self.users.find(required(request, "Username"))
        if user and user.status != UNCONFIRMED:
            raise invalid_parameter("User is already confirmed.")
        return self._send_code(user)

    def confirm_sign_up(self, request: Request) -> Result:
        """Confirm the address with the code that was sent there."""
        user = self._with_code(request)
        if user.status != UNCONFIRMED:
            raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
        return self._confirmed(user, "ConfirmSignUp", request)

    def forgot_password(self, request: Request) -> Result:
        """Send a code to set another password, to a confirmed address."""
        user = self.users.find(required(request, "Username"))
        if user and user.status == INVITED:
            raise not_authorized("User password cannot be reset in the current state.")
        if user and user.attributes.get("email_verified") != "true":
            raise invalid_parameter("Cannot reset password for the user as there is no verified email")
        return self._send_code(user)

    def confirm_forgot_password(self, request: Request) -> Result:
        """Set another password with the code that was sent."""
        user = self._with_code(request)
        user.set_password(required(request, "Password"))
        return self._confirmed(user, "ConfirmForgotPassword", request)

    def change_password(self, request: Request) -> Result:
        """Set another password with the present one."""
        user = self.tokens.user_of(required(request, "AccessToken"))
        if not user.password.matches(POOL, user.name, required(request, "PreviousPassword")):
            raise not_authorized()
        user.set_password(required(request, "ProposedPassword"))
        self.users.save()
        return {}

    def get_user(self, request: Request) -> Result:
        """Return the user of an access token."""
        user = self.tokens.user_of(required(request, "AccessToken"))
        return {"Username": user.name, "UserAttributes": listed(user.shown())}

    def global_sign_out(self, request: Request) -> Result:
        """Revoke all refresh tokens of a user."""
        user = self.tokens.user_of(required(request, "AccessToken"))
        user.refresh_tokens.clear()
        self.users.save()
        return {}

    def revoke_token(self, request: Request) -> Result:
        """Revoke a refresh token."""
        token = required(request, "Token")
        user = self.users.with_refresh_token(token)
        user.refresh_tokens = [each for each in user.refresh_tokens if each != token]
        self.users.save()
        return {}

    def _send_code(self, user: PoolUser | None) -> Result:
        """Send a code; without a user, only say so, to reveal no users (`prevent_user_existence_errors`)."""
        medium = {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "***"}
        if user is None:
            return {"CodeDeliveryDetails": medium}
        user.code = f"{self.users.chance.randrange(10**6):06}"
        self.users.save()
        self.notify(f"Code for {user.attributes.get('email')} ({user.name}): {user.code}")
        return {"CodeDeliveryDetails": medium}

    def _confirmed(self, user: PoolUser, occasion: str, request: Request) -> Result:
        """Use up the code, which showed that the address is the user's."""
        user.code = ""
        user.status, user.attributes["email_verified"] = CONFIRMED, "true"
        self.users.save()
        self.tokens.triggers.post_confirmation(user, occasion, request.get("ClientMetadata"))
        return {}

    def _with_code(self, request: Request) -> PoolUser:
        """Return the user if the code is theirs. Raises CognitoError, for an unknown user too."""
        user = self.users.find(required(request, "Username"))
        code = required(request, "ConfirmationCode").encode()
        if user is None or not user.code or not hmac.compare_digest(user.code.encode(), code):
            raise CognitoError("CodeMismatchException", "Invalid verification code provided, please try again.")
        return user
