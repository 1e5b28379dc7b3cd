"""Benchmarks of speed and cost; each compares alternatives within one run."""
