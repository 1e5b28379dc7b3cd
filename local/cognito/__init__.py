"""Local Cognito user pool: sign-up, sign-in by SRP or password, invitations, tokens, and calls of triggers.

Operations, parameters and errors are those of the API reference of Amazon Cognito user pools (API version 2016-04-18),
as far as applications and Tradepost use them. The pool is kept in a file, with password verifiers and no passwords.
"""
