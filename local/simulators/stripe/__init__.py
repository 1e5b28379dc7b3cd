"""A simulator of Stripe."""
