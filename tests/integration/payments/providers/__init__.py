"""Tests of what the providers do differently, of their settings, circuits and simulators."""
