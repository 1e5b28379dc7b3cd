"""A simulator of PayPal."""
