"""Errors of the local user pool."""


class CognitoError(Exception):
    """Error that Cognito returns; `code` is its name in the API reference."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def not_authorized(message: str = "Incorrect username or password.") -> CognitoError:
    """Return the error for wrong credentials. It is the same for an unknown user, to reveal no users."""
    return CognitoError("NotAuthorizedException", message)


def invalid_parameter(message: str) -> CognitoError:
    """Return the error for a missing or malformed parameter."""
    return CognitoError("InvalidParameterException", message)
