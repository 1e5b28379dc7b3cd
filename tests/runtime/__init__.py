"""Tests on emulators of Lambda and AWS."""
