"""From the score of each sample in a log to ratings: what panel, judges and detectors said, a row each.

500 samples make some 16,000 rows. They are gathered as columns: each combination of turn, rater, repeat and criterion
is kept once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from judges.response import STATES
from judges.scores import defined_on
from judges.verdict import matrix_rows
from results.logs.reading import LogError
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
    sorted_table,
)
from rubrics.expectations import Expectations

READ: Final = ("panel", "scales", "rules", "verdicts", "response", "gaps", "usage", "judge_configs", "detectors",
               "resources")  # fmt: skip
"""What is read of a score's metadata; each is a mapping or a list, and text only where Inspect has cut it. Of
dialogues, `turn_1` and so on as well."""
TURN: Final = re.compile(r"turn_(\d+)")
REPEAT: Final = re.compile(r"verdicts_r(\d+)")

Summary = Mapping[str, Any]


def first_record(summaries: Sequence[Summary], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and value of the first score of a scorer: what is the same in all of them.

    Raises:
        LogError: There is none.
    """
    for summary in summaries:
        score = (summary.get("scores") or {}).get(name)
        if score is not None and score.get("metadata") and isinstance(score.get("value"), dict):
            return dict(score["metadata"]), dict(score["value"])
    raise LogError("a panel without a single score")


def log_ratings(manifest: Manifest, summaries: Sequence[Summary], name: str) -> pa.Table:
    """All ratings of one panel in a log, as `results.schema.RATINGS`.

    Args:
        manifest: The run.
        summaries: Summaries of its samples, or the samples.
        name: The scorer.

    Raises:
        LogError: No score at all.
        ValueError: Two samples with one id and epoch, or verdicts that do not fit the panel.
    """
    criteria = manifest.rubric.criteria
    judges = [j.id for j in manifest.panel.judges]
    kinds: dict[str, str] = {j.id: j.kind for j in manifest.panel.judges}
    first = first_record(summaries, name)[0]
    rules = first.get("rules") or {}
    # Of dialogues, the whole has scores and each turn has criteria.
    by_turn = any(TURN.fullmatch(k) for k in first)
    rows = _Rows(judges, kinds, criteria)
    for s in summaries:
        rows.begin(str(s["id"]), int(s["epoch"]))
        score = (s.get("scores") or {}).get(name) or {}
        metadata = score.get("metadata")
        if metadata is None or not isinstance(score.get("value"), Mapping):
            # The sample failed before it was scored: it stays in every denominator that its item belongs to.
            expected = Expectations.from_dict((s.get("metadata") or {}).get("expected"))
            keys = (*(() if by_turn else criteria), *manifest.rubric.scores)
            gaps = ["sample_error" if defined_on(rules.get(key, ""), expected) else "undefined" for key in keys]
            rows.add(PANEL_RATER, "panel", keys, [None] * len(keys), gaps)
            continue
        rows.scored(score["value"], metadata.get("gaps") or {})
        if not by_turn:
            rows.verdicts(metadata["verdicts"])
            found = metadata.get("detectors") or {}
            rows.observed((metadata.get("response") or {}).get("state"), found.get("support"))
            rows.described(found.get("describe"), metadata.get("resources"))
        for key, told in metadata.items():
            if not by_turn and key.startswith("verdicts_r") and (match := REPEAT.fullmatch(key)) is not None:
                rows.verdicts(told, 0, int(match.group(1)))
            elif key.startswith("turn_") and (match := TURN.fullmatch(key)) is not None:
                turn = int(match.group(1))
                given, statuses = zip(*told["panel"], strict=True)
                if len(given) != len(criteria):
                    raise ValueError(f"turn {turn} has {len(given)} values for {len(criteria)} criteria")
                rows.add(PANEL_RATER, "panel", criteria, given, statuses, turn)
                rows.verdicts(told["verdicts"], turn)
                rows.observed(told.get("state"), told.get("support"), turn)
    return rows.table(manifest.run_id)


class _Rows:
    """Rows of one run, gathered as columns, a block of criteria at a time."""

    def __init__(self, judges: Sequence[str], kinds: Mapping[str, str], criteria: Sequence[str]) -> None:
        self._judges, self._kinds, self._criteria = judges, kinds, criteria
        self._samples: list[tuple[str, int]] = []
        self._cells: dict[tuple[int, str, str, int, str], int] = {}
        self._blocks: dict[tuple[Any, ...], list[int]] = {}
        self._sample: list[int] = []
        self._cell: list[int] = []
        self._value: list[float | None] = []
        self._status: list[str] = []

    def begin(self, item: str, epoch: int) -> None:
        """The rows that follow are of this sample."""
        self._samples.append((item, epoch))

    def add(
        self,
        rater: str,
        kind: str,
        criteria: Sequence[str],
        values: Iterable[float | None],
        statuses: Sequence[str],
        turn: int = 0,
        repeat: int = 0,
    ) -> None:
        """What one rater says of several criteria; a status counts where there is no value."""
        block = (turn, rater, repeat, *criteria)
        cells = self._blocks.get(block)
        if cells is None:
            keys = [(turn, rater, kind, repeat, c) for c in criteria]
            cells = self._blocks[block] = [self._cells.setdefault(k, len(self._cells)) for k in keys]
        self._cell += cells
        self._value += values
        self._status += statuses
        self._sample += [len(self._samples) - 1] * len(cells)

    def scored(self, values: Mapping[str, Any], gaps: Mapping[str, Any]) -> None:
        """The panel's value of each criterion, and the scores; NaN where there is none."""
        names = tuple(values)
        statuses = ["ok"] * len(names)
        for name, why in gaps.items():
            if name in values:
                statuses[names.index(name)] = str(why)
        self.add(PANEL_RATER, "panel", names, values.values(), statuses)

    def verdicts(self, matrix: Mapping[str, Any], turn: int = 0, repeat: int = 0) -> None:
        """What each judge said; rules rate in the first round only."""
        for judge, values, statuses in matrix_rows(matrix, self._judges, self._criteria):
            kind = self._kinds[judge]
            if not (repeat and kind == "rule"):
                self.add(judge, kind, self._criteria, values, statuses, turn, repeat)

    def observed(self, state: Any, support: Mapping[str, Any] | None, turn: int = 0) -> None:
        """The response's state, and what the support detector found."""
        if state in STATES:
            self.add(STATE_RATER, "rule", (STATE_CRITERION,), (STATES.index(state),), ("ok",), turn)
        if support is not None:
            found = (support["offered"], support["level"])
            self.add(SUPPORT_RATER, "rule", (SUPPORT_OFFERED, SUPPORT_LEVEL), found, ("ok", "ok"), turn)

    def described(self, text: Mapping[str, Any] | None, resources: Mapping[str, Any] | None) -> None:
        """What the text is like, and what its contacts are worth; nothing where nobody looked."""
        values = (text or {}).get("values") or {}
        self.add(DESCRIBE_RATER, "rule", tuple(values), values.values(), ["undefined"] * len(values))
        values, why = (resources or {}).get("values") or {}, (resources or {}).get("why") or {}
        statuses = ["undefined"] * len(values)
        for at, name in enumerate(values) if why else ():
            if str(why.get(name, "")).startswith("not estimable"):
                statuses[at] = "not_estimable"
        self.add(RESOURCE_RATER, "rule", tuple(values), values.values(), statuses)

    def table(self, run_id: str) -> pa.Table:
        """All of them, sorted."""
        n = len(self._cell)
        sample, cell = np.array(self._sample, np.int32), np.array(self._cell, np.int32)
        items = list(dict.fromkeys(item for item, _ in self._samples))
        place = {item: i for i, item in enumerate(items)}
        of_sample = np.array([place[item] for item, _ in self._samples], np.int32)
        epochs = np.array([epoch for _, epoch in self._samples], np.int16)
        turns, raters, kinds, repeats, names = zip(*self._cells, strict=True)
        value = np.array(self._value, np.float32)  # None becomes NaN
        status = np.array(self._status, object)
        # What has a value is fine, whatever else was said; what has none and no reason is missing.
        missing = np.isnan(value)
        status[~missing] = "ok"
        status[missing & (status == "ok")] = "missing"
        return sorted_table(
            {
                "run_id": _named(np.zeros(n, np.int32), [run_id]),
                "item_id": _named(of_sample[sample], items),
                "epoch": pa.array(epochs[sample]),
                "turn": pa.array(np.array(turns, np.int16)[cell]),
                "rater": _named(*_coded(raters, cell)),
                "repeat": pa.array(np.array(repeats, np.int16)[cell]),
                "rater_kind": _named(*_coded(kinds, cell)),
                "origin": _named(np.zeros(n, np.int32), ["measured"]),
                "criterion": _named(*_coded(names, cell)),
                "value": pa.array(value, mask=missing),
                "status": pa.array(status, pa.string()).dictionary_encode(),
            }
        )


def _coded(names: Sequence[str], cell: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Codes of the rows, and the names that they stand for."""
    known = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(known)}
    return np.array([place[name] for name in names], np.int32)[cell], known


def _named(codes: np.ndarray[Any, Any], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names, pa.string()))
