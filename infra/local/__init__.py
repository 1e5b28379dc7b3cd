"""Tradepost on a developer's machine."""
