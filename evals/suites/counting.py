"""How far this process is: calls that came back and samples that have ended, counted through Inspect's hooks."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspect_ai.event import ModelEvent
from inspect_ai.hooks import Hooks, SampleEnd, SampleEvent, hooks


@dataclass
class Counts:
    """Counts of one run; set back before the next.

    Attributes:
        calls: Calls that came back, well or with an error. What a provider's own client retried within one call is
            not seen, nor are calls that were on their way when the process was killed: a server's count is never
            smaller.
        samples: Samples that have ended.
    """

    calls: int = 0
    samples: int = 0
    seen: set[str] = field(default_factory=set)

    def reset(self) -> None:
        """Begin anew."""
        self.calls = self.samples = 0
        self.seen.clear()


COUNTS = Counts()
"""Of this process, which does one run at a time."""


@hooks(name="psychosafe_suite_counts", description="Counts calls and samples, for the progress of a suite.")
class SuiteCounts(Hooks):
    """Counts while a suite runs, and does nothing else."""

    active = False

    def enabled(self) -> bool:
        """Only in a runner of a suite."""
        return SuiteCounts.active

    async def on_sample_event(self, data: SampleEvent) -> None:
        """Something has ended in a sample; an answer from the cache is no call."""
        event = data.event
        # An event may be told of again when it is amended.
        if isinstance(event, ModelEvent) and event.cache != "read" and str(event.uuid) not in COUNTS.seen:
            COUNTS.seen.add(str(event.uuid))
            COUNTS.calls += 1

    async def on_sample_end(self, data: SampleEnd) -> None:
        """A sample has ended."""
        COUNTS.samples += 1
