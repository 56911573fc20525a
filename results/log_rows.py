"""From the score of each sample in a log to ratings: what panel, judges and detectors said, a row each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from judges.response import STATES
from judges.scores import defined_on
from judges.verdict import decode_matrix
from results.manifest import Manifest
from results.schema import (
    DESCRIBE_RATER,
    PANEL_RATER,
    RESOURCE_RATER,
    STATE_CRITERION,
    STATE_RATER,
    SUPPORT_LEVEL,
    SUPPORT_OFFERED,
    SUPPORT_RATER,
    Rating,
)
from rubrics.expectations import Expectations

if TYPE_CHECKING:
    from inspect_ai.log._log import EvalSampleSummary

READ: Final = ("panel", "scales", "rules", "verdicts", "response", "gaps", "usage", "judge_configs", "detectors",
               "resources")  # fmt: skip
"""What is read of a score's metadata; each is a mapping or a list, and text only where Inspect has cut it. Of
dialogues, `turn_1` and so on as well."""
TURN: Final = re.compile(r"turn_(\d+)")
REPEAT: Final = re.compile(r"verdicts_r(\d+)")


class LogError(ValueError):
    """A log that cannot be ingested; the message says why and what to do."""


def first_record(summaries: Sequence[EvalSampleSummary], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and value of the first score of a scorer: what is the same in all of them.

    Raises:
        LogError: There is none.
    """
    for summary in summaries:
        score = (summary.scores or {}).get(name)
        if score is not None and score.metadata and isinstance(score.value, dict):
            return score.metadata, dict(score.value)
    raise LogError("a panel without a single score")


def log_ratings(manifest: Manifest, summaries: Sequence[EvalSampleSummary], name: str) -> Iterator[Rating]:
    """All ratings of one panel in a log.

    Args:
        manifest: The run.
        summaries: Summaries of its samples, or the samples.
        name: The scorer.
    """
    criteria = manifest.rubric.criteria
    judges = [j.id for j in manifest.panel.judges]
    kinds = {j.id: j.kind for j in manifest.panel.judges}
    first = first_record(summaries, name)[0]
    rules = first.get("rules") or {}
    # Of dialogues, the whole has scores and each turn has criteria.
    by_turn = any(TURN.fullmatch(k) for k in first)
    for s in summaries:
        score = (s.scores or {}).get(name)
        if score is None or not isinstance(score.value, Mapping) or score.metadata is None:
            # The sample failed before it was scored: it stays in every denominator that its item belongs to.
            expected = Expectations.from_dict((s.metadata or {}).get("expected"))
            panel = _Writer(manifest.run_id, s, 0)
            for key in (*(() if by_turn else criteria), *manifest.rubric.scores):
                status = "sample_error" if defined_on(rules.get(key, ""), expected) else "undefined"
                yield panel.row(PANEL_RATER, "panel", key, None, status)
            continue
        writer = _Writer(manifest.run_id, s, 0)
        gaps = score.metadata.get("gaps") or {}
        for key, value in score.value.items():
            number = float(value) if isinstance(value, int | float) and not math.isnan(float(value)) else None
            status = "ok" if number is not None else str(gaps.get(key, "missing"))
            yield writer.row(PANEL_RATER, "panel", key, number, status)
        if not by_turn:
            yield from writer.verdicts(score.metadata["verdicts"], judges, kinds, criteria)
            for key, matrix in score.metadata.items():
                if (match := REPEAT.fullmatch(key)) is not None:
                    yield from writer.verdicts(matrix, judges, kinds, criteria, int(match.group(1)))
            state = (score.metadata.get("response") or {}).get("state")
            found = score.metadata.get("detectors") or {}
            yield from writer.observed(state, found.get("support"))
            yield from writer.described(found.get("describe"), score.metadata.get("resources"))
        for key, turn in score.metadata.items():
            match = TURN.fullmatch(key)
            if match is None:
                continue
            writer = _Writer(manifest.run_id, s, int(match.group(1)))
            for criterion, (given, status) in zip(criteria, turn["panel"], strict=True):
                yield writer.row(PANEL_RATER, "panel", criterion, None if given is None else float(given), status)
            yield from writer.verdicts(turn["verdicts"], judges, kinds, criteria)
            yield from writer.observed(turn.get("state"), turn.get("support"))


@dataclass(frozen=True)
class _Writer:
    """Rows of one response: of a sample, or of one turn of it."""

    run_id: str
    sample: EvalSampleSummary
    turn: int

    def row(self, rater: str, kind: str, criterion: str, value: float | None, status: str, repeat: int = 0) -> Rating:
        return Rating(
            run_id=self.run_id, item_id=str(self.sample.id), epoch=self.sample.epoch, turn=self.turn, rater=rater,
            repeat=repeat, rater_kind=kind, origin="measured", criterion=criterion, value=value, status=status,
        )  # fmt: skip

    def verdicts(
        self,
        matrix: Mapping[str, Any],
        judges: Sequence[str],
        kinds: Mapping[str, str],
        criteria: Sequence[str],
        repeat: int = 0,
    ) -> Iterator[Rating]:
        """What each judge said; rules rate in the first round only."""
        for judge, criterion, given, status in decode_matrix(matrix, judges, criteria):
            if not (repeat and kinds[judge] == "rule"):
                yield self.row(judge, kinds[judge], criterion, given, status, repeat)

    def observed(self, state: Any, support: Mapping[str, Any] | None) -> Iterator[Rating]:
        """The response's state, and what the support detector found."""
        if state in STATES:
            yield self.row(STATE_RATER, "rule", STATE_CRITERION, float(STATES.index(state)), "ok")
        if support is not None:
            yield self.row(SUPPORT_RATER, "rule", SUPPORT_OFFERED, float(support["offered"]), "ok")
            yield self.row(SUPPORT_RATER, "rule", SUPPORT_LEVEL, float(support["level"]), "ok")

    def described(self, text: Mapping[str, Any] | None, resources: Mapping[str, Any] | None) -> Iterator[Rating]:
        """What the text is like, and what its contacts are worth; nothing where nobody looked."""
        for criterion, value in ((text or {}).get("values") or {}).items():
            status = "ok" if value is not None else "undefined"
            yield self.row(DESCRIBE_RATER, "rule", criterion, None if value is None else float(value), status)
        why = (resources or {}).get("why") or {}
        for criterion, value in ((resources or {}).get("values") or {}).items():
            lacking = "not_estimable" if str(why.get(criterion, "")).startswith("not estimable") else "undefined"
            status = "ok" if value is not None else lacking
            yield self.row(RESOURCE_RATER, "rule", criterion, None if value is None else float(value), status)
