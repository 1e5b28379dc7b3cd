"""Progress of long commands: bars on a terminal, plain lines elsewhere. Both go to stderr."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.progress import Progress, TaskID

from cli.console import stderr

_STEPS = 10
_EVERY = 10_000


class Bar(Protocol):
    """The part of rich's Progress that commands use."""

    def track[T](self, sequence: Sequence[T], *, description: str) -> Iterable[T]:
        """Yield the elements of a sequence, and show how many are done."""

    def add_task(self, description: str, *, total: float | None) -> TaskID:
        """Begin a task. Without a total, its length is not known."""

    def advance(self, task_id: TaskID) -> None:
        """Note that one step of a task is done."""

    def update(self, task_id: TaskID, *, total: float) -> None:
        """Correct the length of a task."""


class Lines:
    """Progress as lines: for each tenth of a task, or for each 10,000 steps of one whose length is not known."""

    def __init__(self) -> None:
        self._tasks: list[tuple[str, float | None]] = []
        self._done: list[int] = []

    def track[T](self, sequence: Sequence[T], *, description: str) -> Iterable[T]:
        """Yield the elements of a sequence, and print how many are done."""
        task = self.add_task(description, total=len(sequence))
        for each in sequence:
            yield each
            self.advance(task)

    def add_task(self, description: str, *, total: float | None) -> TaskID:
        """Begin a task."""
        self._tasks.append((description, total))
        self._done.append(0)
        return TaskID(len(self._tasks) - 1)

    def update(self, task_id: TaskID, *, total: float) -> None:
        """Correct the length of a task."""
        self._tasks[task_id] = (self._tasks[task_id][0], total)

    def advance(self, task_id: TaskID) -> None:
        """Note that one step of a task is done, and print a line if it is time for one."""
        description, total = self._tasks[task_id]
        self._done[task_id] += 1
        done = self._done[task_id]
        if total:
            tenth = done * _STEPS // int(total)
            if tenth > (done - 1) * _STEPS // int(total):
                stderr.print(f"{description}: {done:,} of {int(total):,}", highlight=False)
        elif done % _EVERY == 0:
            stderr.print(f"{description}: {done:,}", highlight=False)


@contextmanager
def progress() -> Iterator[Bar]:
    """Show the progress of a command."""
    if not stderr.is_terminal:
        yield Lines()
        return
    with Progress(console=stderr) as bars:
        yield bars
