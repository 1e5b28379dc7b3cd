"""Tests of payments by providers, which simulators stand in for."""
