"""The API about itself."""
