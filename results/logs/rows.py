"""From the score of each sample in a log to ratings: what panel, judges and detectors said, a row each.

500 samples make some 16,000 rows. They are gathered as columns: each combination of turn, rater, repeat and criterion
is kept once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from judges.response import STATES
from judges.scores import defined_on
from judges.verdict import STATUS_CODES, decode_matrix
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
ORDINARY: Final = frozenset({*READ, "rungs", "failures", "justifications"})
"""Keys that are no turn and no further round; looking only at the others spares a pattern for each."""
TURN: Final = re.compile(r"turn_(\d+)")
REPEAT: Final = re.compile(r"verdicts_r(\d+)")

Summary = Mapping[str, Any]
Array = np.ndarray[Any, Any]


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
        for key in metadata.keys() - ORDINARY:
            told = metadata[key]
            if not by_turn and (match := REPEAT.fullmatch(key)) is not None:
                rows.verdicts(told, 0, int(match.group(1)))
            elif (match := TURN.fullmatch(key)) is not None:
                turn = int(match.group(1))
                given, statuses = zip(*told["panel"], strict=True)
                if len(given) != len(criteria):
                    raise ValueError(f"turn {turn} has {len(given)} values for {len(criteria)} criteria")
                rows.add(PANEL_RATER, "panel", criteria, given, statuses, turn=turn)
                rows.verdicts(told["verdicts"], turn)
                rows.observed(told.get("state"), told.get("support"), turn)
    return rows.table(manifest.run_id)


@dataclass
class _Block:
    """Rows of one rater on the same criteria: a list of values a sample, and of statuses where they are not the usual.

    Lists are kept as they come and made into arrays once, at the end.
    """

    cells: list[int]
    usual: str
    samples: list[int] = field(default_factory=list)
    values: list[Sequence[float | None]] = field(default_factory=list)
    statuses: list[Sequence[str] | None] = field(default_factory=list)


class _Rows:
    """Rows of one run, gathered as columns, a block of criteria at a time."""

    def __init__(self, judges: Sequence[str], kinds: Mapping[str, str], criteria: Sequence[str]) -> None:
        self._judges, self._kinds, self._criteria = judges, kinds, criteria
        self._samples: list[tuple[str, int]] = []
        self._cells: dict[tuple[int, str, str, int, str], int] = {}
        self._blocks: dict[tuple[Any, ...], _Block] = {}
        self._matrices: dict[tuple[int, int], tuple[list[int], list[Any], list[Any]]] = {}
        self._statuses = {"ok": 0, "missing": 1}

    def begin(self, item: str, epoch: int) -> None:
        """The rows that follow are of this sample."""
        self._samples.append((item, epoch))

    def add(
        self,
        rater: str,
        kind: str,
        criteria: tuple[str, ...],
        values: Sequence[float | None],
        statuses: Sequence[str] | None,
        usual: str = "missing",
        turn: int = 0,
    ) -> None:
        """What one rater says of several criteria.

        Args:
            rater: The rater.
            kind: Its kind.
            criteria: What it rates.
            values: A value for each; None or NaN if there is none.
            statuses: Why there is none, one each; the usual reason if not given.
            usual: The usual reason.
            turn: The turn.
        """
        key = (turn, rater, criteria)
        block = self._blocks.get(key)
        if block is None:
            cells = [self._cell(turn, rater, kind, 0, c) for c in criteria]
            block = self._blocks[key] = _Block(cells, usual)
        block.samples.append(len(self._samples) - 1)
        block.values.append(values)
        block.statuses.append(statuses)

    def _cell(self, turn: int, rater: str, kind: str, repeat: int, criterion: str) -> int:
        return self._cells.setdefault((turn, rater, kind, repeat, criterion), len(self._cells))

    def _status(self, name: str) -> int:
        return self._statuses.setdefault(name, len(self._statuses))

    def scored(self, values: Mapping[str, Any], gaps: Mapping[str, Any]) -> None:
        """The panel's value of each criterion, and the scores; NaN where there is none."""
        names = tuple(values)
        why = [str(gaps.get(name, "missing")) for name in names] if gaps else None
        self.add(PANEL_RATER, "panel", names, list(values.values()), why)

    def verdicts(self, matrix: Mapping[str, Any], turn: int = 0, repeat: int = 0) -> None:
        """What each judge said; rules rate in the first round only."""
        samples, values, codes = self._matrices.setdefault((turn, repeat), ([], [], []))
        samples.append(len(self._samples) - 1)
        values.append(matrix["v"])
        codes.append(matrix["s"])

    def observed(self, state: Any, support: Mapping[str, Any] | None, turn: int = 0) -> None:
        """The response's state, and what the support detector found."""
        if state in STATES:
            self.add(STATE_RATER, "rule", (STATE_CRITERION,), (STATES.index(state),), None, turn=turn)
        if support is not None:
            found = (support["offered"], support["level"])
            self.add(SUPPORT_RATER, "rule", (SUPPORT_OFFERED, SUPPORT_LEVEL), found, None, turn=turn)

    def described(self, text: Mapping[str, Any] | None, resources: Mapping[str, Any] | None) -> None:
        """What the text is like, and what its contacts are worth; nothing where nobody looked."""
        values = (text or {}).get("values") or {}
        self.add(DESCRIBE_RATER, "rule", tuple(values), list(values.values()), None, "undefined")
        values, why = (resources or {}).get("values") or {}, (resources or {}).get("why") or {}
        lacking = any(str(reason).startswith("not estimable") for reason in why.values())
        statuses = [
            "not_estimable" if str(why.get(name, "")).startswith("not estimable") else "undefined" for name in values
        ] if lacking else None  # fmt: skip
        self.add(RESOURCE_RATER, "rule", tuple(values), list(values.values()), statuses, "undefined")

    def _judged(self) -> Iterator[tuple[list[int], list[int], Array, Array]]:
        """Samples, cells, values and statuses of what the judges said, a block a judge and round."""
        for (turn, repeat), (samples, values, codes) in self._matrices.items():
            shape = (len(samples), len(self._judges), len(self._criteria))
            try:
                # All rounds and samples of one shape, as they should be: one array.
                value = np.array(values, float).reshape(shape)
                digit = np.frombuffer("".join(c for row in codes for c in row).encode("ascii"), np.uint8) - ord("0")
                whole = {len(row) for row in codes} == {shape[1]} and {len(c) for row in codes for c in row} == {
                    shape[2]
                }
                status = np.array([self._status(name) for name in STATUS_CODES], np.int16)[digit.reshape(shape)]
            except (ValueError, TypeError, IndexError, UnicodeEncodeError):
                whole = False
            if not whole:
                # Says what is wrong with the first that does not fit.
                for v, s in zip(values, codes, strict=True):
                    decode_matrix({"v": v, "s": s}, self._judges, self._criteria)
                raise ValueError("verdicts of another shape than the panel's")
            for n, judge in enumerate(self._judges):
                kind = self._kinds[judge]
                if not (repeat and kind == "rule"):
                    cells = [self._cell(turn, judge, kind, repeat, c) for c in self._criteria]
                    yield samples, cells, value[:, n].ravel(), status[:, n].ravel()

    def _told(self) -> Iterator[tuple[list[int], list[int], Array, Array]]:
        """The same of everybody else."""
        for block in self._blocks.values():
            width = len(block.cells)
            value = np.array(block.values, float).reshape(-1)
            status = np.full((len(block.samples), width), self._status(block.usual), np.int16)
            for at, statuses in enumerate(block.statuses):
                if statuses is not None:
                    status[at] = [self._status(name) for name in statuses]
            yield block.samples, block.cells, value, status.reshape(-1)

    def table(self, run_id: str) -> pa.Table:
        """All of them, sorted."""
        parts = [part for part in (*self._told(), *self._judged()) if part[1]]
        sample = np.concatenate([np.repeat(np.array(s, np.int32), len(c)) for s, c, _, _ in parts])
        cell = np.concatenate([np.tile(np.array(c, np.int32), len(s)) for s, c, _, _ in parts])
        value = np.concatenate([v for _, _, v, _ in parts]).astype(np.float32)
        status = np.concatenate([s for _, _, _, s in parts])
        n = len(cell)
        items = list(dict.fromkeys(item for item, _ in self._samples))
        place = {item: i for i, item in enumerate(items)}
        of_sample = np.array([place[item] for item, _ in self._samples], np.int32)
        epochs = np.array([epoch for _, epoch in self._samples], np.int16)
        turns, raters, kinds, repeats, names = zip(*self._cells, strict=True)
        # What has a value is fine, whatever else was said; what has none and no reason is missing.
        missing = np.isnan(value)
        status = np.where(missing, np.where(status == 0, 1, status), 0)
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
                "status": _named(status.astype(np.int32), list(self._statuses)),
            }
        )


def _coded(names: Sequence[str], cell: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Codes of the rows, and the names that they stand for."""
    known = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(known)}
    return np.array([place[name] for name in names], np.int32)[cell], known


def _named(codes: np.ndarray[Any, Any], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names, pa.string()))
