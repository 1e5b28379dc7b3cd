"""Constructs of the stack."""
