"""Sample data, and what the routes return for it."""
