"""From saved ratings to what others read: rows of the ratings table, a long CSV, and files for Inspect."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from judges.annotation.model import Plan, PlanMap
from judges.annotation.records import SavedAdjudication, SavedRating
from judges.combine import combine_criterion

PEOPLE: Final = "people"
"""Rater name of the people's combined value in files for Inspect."""
ADJUDICATED: Final = "adjudicated"
"""Rater name of settled values in the ratings table."""
PAIR_COLUMNS: Final = ("annotator", "pair", "item_id", "epoch", "turn", "run_left", "run_right", "preferred", "status",
                       "shown_at", "submitted_at", "position")  # fmt: skip
SETTLED_COLUMNS: Final = ("run_id", "item_id", "epoch", "turn", "adjudicator", "criterion", "value", "at",
                          "raters_as_shown", "token")  # fmt: skip
LONG_COLUMNS: Final = (
    "run_id", "item_id", "epoch", "turn", "rater", "repeat", "criterion", "value", "status", "shown_at", "submitted_at",
    "position", "flagged", "comment", "token", "stratum", "weight", "rubric_sha256", "plan_sha256",
)  # fmt: skip


@dataclass(frozen=True)
class ScoreFile:
    """Scores of one run by one rater, as Inspect's `precomputed_scores` reads them.

    Attributes:
        run_id: The run.
        rater: An annotator, or `people` for the combined value.
        lines: JSON Lines, ending with a line break.
        criteria: Keys of the values.
    """

    run_id: str
    rater: str
    lines: str
    criteria: tuple[str, ...]


def rating_rows(
    plan: Plan, map: PlanMap, ratings: Sequence[SavedRating], adjudications: Sequence[SavedAdjudication] = ()
) -> list[dict[str, Any]]:
    """Rows of the ratings table, in the order of the plan's cards.

    A silent repeat is `repeat` 1 of its first; training, hidden checks and pairs are left out. A settled value is a
    rating by the rater `adjudicated`.

    Args:
        plan: The plan.
        map: Its map.
        ratings: The latest ratings.
        adjudications: Settled values; of several of one card the last stands.
    """
    rows = []
    for r in ratings:
        if r.token in map.sources:
            rows.append(_row(map, r.token, r.annotator, r.criterion, r.value, r.status))
    last = {a.token: (a.adjudicator, a.nonce) for a in adjudications}
    for a in adjudications:
        if a.token in map.sources and last[a.token] == (a.adjudicator, a.nonce):
            rows.append(_row(map, a.token, ADJUDICATED, a.criterion, a.value, "ok"))
    order = {c: i for i, c in enumerate(plan.rubric.criterion_ids)}
    place = ("run_id", "item_id", "epoch", "turn", "rater", "repeat")
    return sorted(rows, key=lambda r: (*(r[k] for k in place), order[r["criterion"]]))


def _row(map: PlanMap, token: str, rater: str, criterion: str, value: float | None, status: str) -> dict[str, Any]:
    s = map.sources[token]
    return {
        "run_id": s.run_id, "item_id": s.item_id, "epoch": s.epoch, "turn": s.turn, "rater": rater,
        "repeat": int(token in map.repeats), "rater_kind": "human", "origin": "measured", "criterion": criterion,
        "value": value, "status": status,
    }  # fmt: skip


def long_csv(plan: Plan, map: PlanMap, ratings: Sequence[SavedRating]) -> str:
    """All that is known of each rating, a row for each rater, token and criterion."""
    rows = []
    for r in ratings:
        if r.token not in map.sources:
            continue
        s = map.sources[r.token]
        rows.append(
            {
                **_row(map, r.token, r.annotator, r.criterion, r.value, r.status), "shown_at": when(r.shown_at),
                "submitted_at": when(r.submitted_at), "position": r.position, "flagged": int(r.flagged),
                "comment": r.comment, "token": r.token, "stratum": s.stratum, "weight": s.weight,
                "rubric_sha256": plan.rubric_sha256, "plan_sha256": plan.sha256,
            }
        )  # fmt: skip
    return _csv(LONG_COLUMNS, rows)


def pairs_csv(map: PlanMap, ratings: Sequence[SavedRating]) -> str | None:
    """Preferences in the side-by-side block, a row each; None where there is none."""
    rows = []
    for r in ratings:
        sides = map.sides.get(r.token)
        if sides is None:
            continue
        chosen = {0.0: sides.left.run_id, 1.0: "equal", 2.0: sides.right.run_id}
        rows.append(
            {
                "annotator": r.annotator, "pair": sides.pair, "item_id": sides.left.item_id, "epoch": sides.left.epoch,
                "turn": sides.left.turn, "run_left": sides.left.run_id, "run_right": sides.right.run_id,
                "preferred": None if r.value is None else chosen[r.value], "status": r.status,
                "shown_at": when(r.shown_at), "submitted_at": when(r.submitted_at), "position": r.position,
            }
        )  # fmt: skip
    return _csv(PAIR_COLUMNS, rows) if rows else None


def settled_csv(map: PlanMap, adjudications: Sequence[SavedAdjudication]) -> str | None:
    """Settled values, superseded ones as well, a row each; None where there is none."""
    rows = []
    for a in adjudications:
        if a.token not in map.sources:
            continue
        s = map.sources[a.token]
        rows.append(
            {
                "run_id": s.run_id, "item_id": s.item_id, "epoch": s.epoch, "turn": s.turn,
                "adjudicator": a.adjudicator, "criterion": a.criterion, "value": a.value, "at": when(a.at),
                "raters_as_shown": "; ".join(a.seen), "token": a.token,
            }
        )  # fmt: skip
    return _csv(SETTLED_COLUMNS, rows) if rows else None


def when(seconds: float) -> str:
    """Seconds since 1970 as an ISO 8601 time, UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({k: _cell(v) if isinstance(v, str) else v for k, v in row.items()})
    return out.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet runs as a formula, with line ends of the kind that the writer quotes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text[:1] in ("=", "@", "+", "-", "\t", "\n") else text


def score_files(plan: Plan, map: PlanMap, ratings: Sequence[SavedRating]) -> list[ScoreFile]:
    """Files for Inspect's `precomputed_scores`: one a run and rater and, of runs that two people or more rated, one
    with their combined value.

    A skipped card has no record, so Inspect leaves its sample unscored. People are combined as a panel is: strict
    majority, or the median of an ordinal criterion; a tie has the value NaN, which Inspect takes for missing. Silent
    repeats are left out, and dialogues too, since a sample has one score and a dialogue a rating for every turn.

    Args:
        plan: The plan.
        map: Its map.
        ratings: The latest ratings.
    """
    by_run: dict[str, dict[tuple[str, int], dict[str, dict[str, SavedRating]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for r in ratings:
        s = map.sources.get(r.token)
        if s is not None and s.turn == 0 and r.token not in map.repeats and r.value is not None:
            by_run[s.run_id][s.item_id, s.epoch][r.annotator][r.criterion] = r
    files = []
    for run_id, samples in sorted(by_run.items()):
        raters = sorted({rater for by_rater in samples.values() for rater in by_rater})
        for rater in raters:
            own = [_own(plan, key, by[rater]) for key, by in sorted(samples.items()) if rater in by]
            files.append(_file(plan, run_id, rater, own))
        if len(raters) >= 2:
            every = [_combined(plan, key, by) for key, by in sorted(samples.items())]
            files.append(_file(plan, run_id, PEOPLE, every))
    return files


def _file(plan: Plan, run_id: str, rater: str, records: Sequence[Mapping[str, Any]]) -> ScoreFile:
    # NaN is no JSON, but Python's reader, which Inspect uses, takes it; nothing else says "missing" in a score.
    lines = "".join(json.dumps(r, ensure_ascii=True) + "\n" for r in records)
    return ScoreFile(run_id, rater, lines, plan.rubric.criterion_ids)


def _own(plan: Plan, key: tuple[str, int], given: Mapping[str, SavedRating]) -> dict[str, Any]:
    one = next(iter(given.values()))
    return _record(
        plan, key, {c: r.value for c, r in given.items()}, one.comment,
        {"rater": one.annotator, "submitted_at": when(one.submitted_at), "token": one.token},
    )  # fmt: skip


def _combined(plan: Plan, key: tuple[str, int], by_rater: Mapping[str, Mapping[str, SavedRating]]) -> dict[str, Any]:
    values: dict[str, float | None] = {}
    statuses = {}
    for c in plan.rubric.criteria:
        given = [v for name in sorted(by_rater) if (r := by_rater[name].get(c.id)) and (v := r.value) is not None]
        settled = combine_criterion(c, given, len(given))
        values[c.id], statuses[c.id] = settled.value, settled.status
    # Names stay out: this file is the one that is handed on.
    return _record(plan, key, values, "", {"rater": PEOPLE, "n": len(by_rater), "statuses": statuses})


def _record(
    plan: Plan, key: tuple[str, int], values: Mapping[str, float | None], explanation: str, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    full = {c: float("nan") if values.get(c) is None else values[c] for c in plan.rubric.criterion_ids}
    told = {**metadata, "rubric_sha256": plan.rubric_sha256}
    record = {"id": key[0], "epoch": key[1], "value": full, "metadata": told}
    return {**record, "explanation": explanation} if explanation else record
