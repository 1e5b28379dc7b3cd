"""Types shared by the consistency tests."""

from collections.abc import Sequence

type Keys = Sequence[tuple[str, str]]
