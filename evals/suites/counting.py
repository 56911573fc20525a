"""How far this process is: calls that were begun and samples that have ended, counted through Inspect's hooks."""

from __future__ import annotations

from dataclasses import dataclass

from inspect_ai.hooks import BeforeModelGenerate, Hooks, SampleEnd, hooks


@dataclass
class Counts:
    """Counts of one run; set back before the next."""

    calls: int = 0
    samples: int = 0

    def reset(self) -> None:
        """Begin anew."""
        self.calls = self.samples = 0


COUNTS = Counts()
"""Of this process, which does one run at a time."""


@hooks(name="psychosafe_suite_counts", description="Counts calls and samples, for the progress of a suite.")
class SuiteCounts(Hooks):
    """Counts while a suite runs, and does nothing else."""

    active = False

    def enabled(self) -> bool:
        """Only in a runner of a suite."""
        return SuiteCounts.active

    async def on_before_model_generate(self, data: BeforeModelGenerate) -> None:
        """A call is begun; its retries are not counted."""
        COUNTS.calls += 1

    async def on_sample_end(self, data: SampleEnd) -> None:
        """A sample has ended."""
        COUNTS.samples += 1
