"""Tests on the tools that stand in for Lambda and AWS."""
