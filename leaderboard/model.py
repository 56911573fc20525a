"""A board as plain data: groups of comparable runs, rows of systems, columns of measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from judges.stats import Estimate
from results.dialogues import Timing
from results.parallel import ParallelRow

Kind = Literal["model", "reference", "published"]


@dataclass(frozen=True)
class Column:
    """A measure as a column: its name, how people read it, its scale and direction."""

    name: str
    label: str
    bounds: tuple[float, float] = (0.0, 1.0)
    higher_is_better: bool = True


@dataclass(frozen=True)
class BoardRow:
    """One run of one system, or one published system.

    Attributes:
        run_id: The run.
        label: Model and condition; unique within its group. Untrusted text.
        model: Name of the model or policy. Untrusted text.
        kind: Models, reference policies and published rows are never mixed.
        condition: Name of the condition, where stated.
        measures: Estimate by measure name, in display order.
        ranked: Whether it has a pair score that its group compares.
        reason: Why it is not ranked.
        warnings: What to know before comparing.
        facts: Cells that stand beside the measures, by heading (`leaderboard.facts`).
    """

    run_id: str
    label: str
    model: str
    kind: Kind
    condition: str | None
    measures: Mapping[str, Estimate]
    ranked: bool
    reason: str = ""
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why it is unranked, then its warnings."""
        return (
            self.warnings if self.ranked or self.kind == "published" else (f"unranked: {self.reason}", *self.warnings)
        )


@dataclass(frozen=True)
class Group:
    """Runs with one comparability key. Each list is ranked by pair score, then the unranked by label.

    Attributes:
        key: The key, of the rubric's first criterion.
        parts: What went into it.
        title: Prompt set, items, rubric and panel. Untrusted text.
        columns: The measures, in display order.
        models: Models.
        references: Reference policies: anchors and cheats, no models.
        published: Imported runs.
        sentence: What the pair scores say.
        rules_only: Whether no judge is a model or a person.
        parallel: Public against private form, for systems that were run on both.
        timing: Of dialogues, when things happened, by the row's label. Labels are untrusted text.
        beside: What stands beside the scores, by heading of `results.extras`: label and estimate of each measure, by
            the row's label.
        custom: How a reader's choice makes the figures depart from the default ones, in words.
        refused: Why a choice has no effect on them.
    """

    key: str
    parts: Mapping[str, Any]
    title: str
    columns: tuple[Column, ...]
    models: tuple[BoardRow, ...]
    references: tuple[BoardRow, ...]
    published: tuple[BoardRow, ...]
    sentence: str
    rules_only: bool
    parallel: tuple[ParallelRow, ...] = ()
    timing: tuple[tuple[str, Timing], ...] = ()
    beside: Mapping[str, tuple[tuple[str, Mapping[str, tuple[str, Estimate]]], ...]] = field(default_factory=dict)
    custom: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[BoardRow, ...]:
        """Models, then reference policies, then imported runs."""
        return self.models + self.references + self.published


@dataclass(frozen=True)
class PublishedSection:
    """Published figures of one source, in the source's order: other prompts, other judges."""

    source: str
    revision: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[BoardRow, ...]
    title: str = "Published figures"


@dataclass(frozen=True)
class Board:
    """Everything on the page.

    Attributes:
        groups: Comparable runs.
        published: Published figures, apart from every group.
        damaged: Runs that cannot be read and are left out, with the reason.
        notes: Other things that are left out.
    """

    groups: tuple[Group, ...]
    published: tuple[PublishedSection, ...]
    damaged: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
