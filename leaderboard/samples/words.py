"""What is shown beside the texts of one response: verdicts, justifications, people's ratings, support, and its log."""

from __future__ import annotations

import re
import shlex
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from judges.support import LEVELS, SUPPORT_VERSION, detect_support
from leaderboard import present
from leaderboard.samples.data import Said, has, rows_of
from leaderboard.samples.shown import Scale, judge_names, scale_of
from results.manifest import Manifest
from results.measure import LABELS
from results.schema import PANEL_RATER, SUPPORT_LEVEL, SUPPORT_OFFERED, SUPPORT_RATER
from results.transcripts import Turn

LIMIT: Final = 20_000
"""Characters of a text that are shown at first."""
_KEPT: Final = "\n\t\u200c\u200d"
"""Letters of some scripts, and of pictures made of several, are joined or kept apart by the last two."""
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._-]+")
_FILE: Final = "file://"
VIEW: Final = "http://127.0.0.1:7575"
"""Where `inspect view` answers."""


@dataclass(frozen=True)
class Shown:
    """A text as it is shown.

    Attributes:
        text: The text; what cannot be seen or turns the direction of writing stands there as its number.
        length: Characters of the whole text.
        cut: Whether only its beginning is here.
        marked: How many characters stand there as their number.
    """

    text: str
    length: int
    cut: bool
    marked: int


def shown(text: str, whole: bool = False) -> Shown:
    """A text to be shown letter by letter.

    Args:
        text: Prompt, answer or justification.
        whole: All of it, and not its first `LIMIT` characters.
    """
    part = text if whole else text[:LIMIT]
    marked = 0
    letters = []
    for c in part.replace("\r\n", "\n"):
        if c not in _KEPT and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
            letters.append(f"\u27e8U+{ord(c):04X}\u27e9")
            marked += 1
        else:
            letters.append(c)
    return Shown("".join(letters), len(text), len(part) < len(text), marked)


def shown_note(s: Shown) -> str:
    """What is other in what is shown than in the text; empty where nothing is."""
    told = [f"The first {LIMIT:,} of {s.length:,} characters."] if s.cut else []
    if s.marked:
        told.append(f"Characters that cannot be seen stand as their number, as in \u27e8U+202E\u27e9: {s.marked:,}.")
    return " ".join(told)


def of_response(ratings: pa.Table, item: str, epoch: int) -> list[dict[str, Any]]:
    """All ratings of one response or dialogue."""
    rows = ratings.filter(pc.and_(has(ratings, "item_id", item), pc.equal(ratings["epoch"], epoch)))
    return rows_of(rows, ("turn", "rater", "repeat", "rater_kind", "criterion", "value", "status"))


def verdict_rows(run: Manifest, rows: Sequence[Mapping[str, Any]], turn: int = 0) -> list[dict[str, str]]:
    """What the panel and every judge said, a row each criterion and score.

    Args:
        run: The run.
        rows: Ratings of the response.
        turn: Turn of a dialogue; 0 for the whole response.
    """
    said = {(r["rater"], r["repeat"], r["criterion"]): _said(r) for r in rows if r["turn"] == turn}
    names = judge_names(run)
    repeats = sorted({r["repeat"] for r in rows if r["turn"] == turn and r["repeat"] > 0})
    found = []
    for name in (*run.rubric.criteria, *run.rubric.scores):
        panel = said.get((PANEL_RATER, 0, name))
        if panel is None:
            continue
        scale = scale_of(run, name)
        row = {"Criterion or score": _label(name), "Panel": scale.text(panel)}
        if name in run.rubric.scales:
            for judge, column in names.items():
                row[column] = _cell(scale, said.get((judge, 0, name)))
                row |= {f"{column}, repeat {k}": _cell(scale, said.get((judge, k, name))) for k in repeats}
        found.append(row)
    return found


def people_rows(run: Manifest, rows: Sequence[Mapping[str, Any]], turn: int = 0) -> list[dict[str, str]]:
    """What people said, a row each person and criterion."""
    return [
        {
            "Person": present.plain(r["rater"], 60),
            "Criterion": _label(r["criterion"]),
            "Value": scale_of(run, r["criterion"]).text(_said(r)) if r["criterion"] in run.rubric.scales
            else present.fixed(r["value"]),
            "Round": str(r["repeat"] + 1),
        }
        for r in rows
        if r["rater_kind"] == "human" and r["turn"] == turn
    ]  # fmt: skip


def justified(run: Manifest, turn: Turn) -> list[tuple[str, str]]:
    """What each judge wrote: its name, and its words below the criterion that they are on. Both are untrusted.

    The words are set in, so that they cannot pass for a heading.
    """
    order = {c: n for n, c in enumerate(run.rubric.criteria)}
    given = sorted(turn.justifications.items(), key=lambda j: (j[0][0], order.get(j[0][1], -1), j[0][1]))
    found: dict[str, list[str]] = {}
    for (judge, criterion), text in given:
        part = textwrap.indent(text, "    ", lambda _: True)
        found.setdefault(judge, []).append(f"{_label(criterion) if criterion else 'All criteria'}\n{part}")
    return [(present.plain(judge, 60), "\n".join(parts)) for judge, parts in found.items()]


def support_line(run: Manifest, rows: Sequence[Mapping[str, Any]], turn: Turn) -> str:
    """What the support detector found, and on which cues, where it would find the same today."""
    found = {r["criterion"]: r["value"] for r in rows if r["rater"] == SUPPORT_RATER and r["turn"] == turn.turn}
    offered, level = found.get(SUPPORT_OFFERED), found.get(SUPPORT_LEVEL)
    if offered is None or level is None:
        return "Support detector: it did not look at this response."
    told = f"Support detector: support {'offered' if offered else 'not offered'}, level {LEVELS[int(level)]}"
    if run.detectors.get("support") != SUPPORT_VERSION:
        return f"{told} (by version {run.detectors.get('support') or 'not stated'})."
    now = detect_support(turn.prompt, turn.response)
    same = (float(now.offered), now.level) == (float(offered), LEVELS[int(level)])
    return f"{told} ({now.reason})." if same and now.reason else f"{told}."


def log_command(run: Manifest, item: str, epoch: int) -> str:
    """The command that opens the log of a run in Inspect's viewer, and where the sample is; empty if there is no log.

    The viewer is told to show what the log holds as plain text.
    """
    place = run.source.location
    if place is None or run.source.eval_id is None:
        return ""
    folder, slash, name = place.removeprefix(_FILE).rpartition("/")
    command = f"inspect view --no-trust-content --log-dir {shlex.quote(folder or slash or '.')}"
    if _PLAIN_ID.fullmatch(item) and _PLAIN_ID.fullmatch(name):
        return f"{command}\n# then {VIEW}/#/logs/{name}/samples/sample/{item}/{epoch}/"
    return command


def _said(row: Mapping[str, Any]) -> Said:
    value = row["value"]
    return Said(None if value is None else float(value), row["status"] or ("ok" if value is not None else "missing"))


def _cell(scale: Scale, said: Said | None) -> str:
    return "not asked" if said is None else scale.text(said)


def _label(name: str) -> str:
    return LABELS.get(name) or present.plain(name.replace("_", " ").capitalize(), 60)
