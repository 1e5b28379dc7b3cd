"""What the tests of consistency share."""

from collections.abc import Sequence

type Keys = Sequence[tuple[str, str]]
