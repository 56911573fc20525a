"""What a reader may choose of a group of runs: weights, judges, domains; and what of it means something there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Final

from results.manifest import Manifest
from rubrics.errors import MendableError
from rubrics.loader import BUILT_IN, load_rubric, rubric_sha256
from rubrics.model import MeanAggregate, QualityAggregate, Rubric

NO_FAMILY: Final = frozenset({None, "", "none"})


class ChoiceError(MendableError):
    """A text that is no choice."""


@dataclass(frozen=True)
class Choice:
    """What a reader chose.

    Attributes:
        weights: Weight by criterion in every mean of the rubric, 0 or more; 1 where none is given. Their ratios matter.
        judges: Ids of the judges that count; all of them if empty.
        without_family: Leave out judges of the family of any model in the group. They are left out of every row, so
            that all rows are still judged by one panel.
        domains: Domains of the items that count; all of them if empty.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    judges: tuple[str, ...] = ()
    without_family: bool = False
    domains: tuple[str, ...] = ()

    @property
    def weighted(self) -> bool:
        """Whether any weight departs from 1."""
        return any(w != 1.0 for w in self.weights.values())

    @property
    def default(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.judges or self.without_family or self.domains or self.weighted)

    def to_text(self) -> str:
        """The choice as a short text, the same for the same choice; empty where nothing was chosen."""
        return "" if self.default else json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Choice:
        """Read `to_text` back.

        Raises:
            ChoiceError: It is no such text.
        """
        if not text:
            return cls()
        try:
            told = json.loads(text)
        except (ValueError, RecursionError) as ex:
            raise ChoiceError("a choice that is no JSON; choose anew on the page") from ex
        if not isinstance(told, dict) or told.keys() - {f.name for f in fields(cls)}:
            raise ChoiceError("a choice has weights, judges, without_family and domains; choose anew on the page")
        weights, family = told.get("weights", {}), told.get("without_family", False)
        lists = [told.get(k, []) for k in ("judges", "domains")]
        good = isinstance(weights, dict) and all(type(w) in (int, float) and 0 <= w <= 1e6 for w in weights.values())
        if not good or not isinstance(family, bool) or not all(_texts(each) for each in lists):
            raise ChoiceError("weights are numbers from 0 up, judges and domains names; choose anew on the page")
        return cls({c: float(w) for c, w in weights.items()}, tuple(lists[0]), family, tuple(lists[1]))


def _texts(told: object) -> bool:
    return isinstance(told, list) and all(isinstance(t, str) for t in told)


def rubric_of(run: Manifest) -> Rubric | None:
    """The project's rubric that a run was judged by; None where it is another one, or another version."""
    told = run.rubric.sha256
    return next((r for digest, r in _ours() if told and digest.startswith(told)), None)


@cache
def _ours() -> tuple[tuple[str, Rubric], ...]:
    return tuple((rubric_sha256(r), r) for r in map(load_rubric, BUILT_IN))


def weighable(run: Manifest) -> tuple[str, ...]:
    """Criteria that have a weight in a mean of the run's rubric; none where the rubric is not at hand."""
    rubric = rubric_of(run)
    if rubric is None:
        return ()
    found = {c for a in rubric.aggregates if isinstance(a, MeanAggregate) for c in a.of}
    found |= {p.criterion for a in rubric.aggregates if isinstance(a, QualityAggregate) for p in a.of}
    return tuple(c for c in rubric.criterion_ids if c in found)


def kin(runs: Sequence[Manifest]) -> tuple[str, ...]:
    """Judges of the family of any model among some runs of one panel."""
    families = {m.model.family for m in runs} - NO_FAMILY
    return tuple(j.id for j in runs[0].panel.judges if j.family in families)


def kept_judges(runs: Sequence[Manifest], judges: Iterable[str], choice: Choice) -> tuple[tuple[str, ...], str]:
    """The judges of a group that count under a choice.

    Args:
        runs: Its runs, of one panel.
        judges: The panel's judges.
        choice: What was chosen. Where none of the chosen judges sits here, all of them count: the choice is about
            another group of the page.

    Returns:
        The judges, and in words how they depart from the panel; nothing where they do not.
    """
    every = tuple(judges)
    named = tuple(j for j in every if j in choice.judges) or every
    own = set(kin(runs)) if choice.without_family else set()
    final = tuple(j for j in named if j not in own)
    if final == every:
        return every, ""
    gone = [j for j in named if j in own]
    family = f"; {', '.join(gone)} left out as of a model's family" if gone else ""
    return final, f"judged by {', '.join(final)} alone{family}" if final else f"no judge is left{family}"
