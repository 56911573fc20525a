"""A report held against the store that it came from: figures, text and drawings."""

from __future__ import annotations

import difflib
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leaderboard.paper.content import paper, software
from leaderboard.paper.file import (
    FORMAT,
    MARK,
    SUFFIXES,
    ReportError,
    data_id,
    provenance,
    report_text,
    text_digest,
)
from leaderboard.present import plain
from results.store import Store, StoreError

MOST: Final = 12
"""Differences that are told one by one; of the others, how many there are."""
_FOUND: Final = re.compile(re.escape(MARK) + r"(\{[^\n]*\})")
_UNITS: Final = re.compile(
    r"(?=<(?:h[1-3]|tr|p|li|figcaption|svg|desc|title|text|line|rect|circle|polygon|style|pre|section|meta|!--)\b|<!--)"
)
"""Where a page is cut into pieces that can be told apart."""
_HEADING: Final = {
    ".md": re.compile(r"^(?:#+ (.+)|\*\*(.+)\*\*)$"),
    ".tex": re.compile(r"^\\(?:section\*|caption)\{(.+)\}$"),
    ".html": re.compile(r"^<h[23][^>]*>(.+?)</h"),
}
_ROOM: Final = 90


_RunId = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
"""Nothing that could lead out of the store's folder."""


class _Told(BaseModel):
    """The mark of a file, which anybody may have written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[2]
    baseline: _RunId
    runs: list[_RunId]
    margin: Annotated[float, Field(gt=0, le=1)]
    correction: Literal["holm", "bh"]
    manifests: dict[_RunId, str]
    figures: str
    software: dict[str, str]
    text: str


@dataclass(frozen=True)
class Verified:
    """What came of holding a report against a store.

    Attributes:
        wrong: What differs, a line each; nothing if all is as it was.
        notes: What to know besides.
    """

    wrong: tuple[str, ...]
    notes: tuple[str, ...] = ()


def verify(store: Store, path: Path) -> Verified:
    """Make a report again with the choices that it names, and say what differs.

    Text and drawings are compared piece by piece where the same software wrote them. Otherwise the figures are
    compared, and whether the text was changed since it was written.

    Args:
        store: A store with the report's runs.
        path: The file.

    Raises:
        ReportError: No report of this program.
    """
    text, told, line = _read(path)
    wrong = list(_runs(store, told))
    if wrong:
        return Verified(tuple(wrong))
    before, _, after = text.rpartition(line)
    changed = text_digest(before + after) != told.text
    runs = [store.manifest(r) for r in told.runs]
    found = paper(store, store.manifest(told.baseline), runs, told.margin, told.correction)
    now = provenance(found)
    if now["figures"] != told.figures:
        wrong.append("the figures come out otherwise; make the report again")
    suffix = path.suffix
    # With other figures the id at every table is another one, which would be told once a table.
    then = data_id({name: getattr(told, name) for name in now})
    again = report_text(found, suffix).replace(data_id(now), then)
    if told.software == software():
        new = _FOUND.search(again)
        pieces = list(_differences(before + after, again.replace(new[0], "") if new else again, suffix))
        wrong += pieces[:MOST]
        if len(pieces) > MOST:
            wrong.append(f"and {len(pieces) - MOST} more")
        if not pieces and changed:
            wrong.append("the mark at the end of the file was changed")
        return Verified(tuple(wrong))
    if changed:
        wrong.append("the text was changed after it was written")
    versions = f"written by {_versions(told.software)}; this is {_versions(software())}"
    return Verified(tuple(wrong), (f"{versions}: figures are compared, wording and drawings are not",))


def _read(path: Path) -> tuple[str, _Told, str]:
    """The file, its mark, and the mark as it stands there."""
    if path.suffix not in SUFFIXES:
        raise ReportError(f"{path.name}: a report ends in {', '.join(SUFFIXES)}; verify the file as it was written")
    try:
        text = path.read_text(encoding="utf-8")
        marks = list(_FOUND.finditer(text))
        data = json.loads(marks[-1][1]) if marks else None
    except (OSError, ValueError) as ex:
        raise ReportError(f"{path.name}: cannot be read as a report of `psychosafe report`") from ex
    if not isinstance(data, dict):
        raise ReportError(f"{path.name}: no provenance of `psychosafe report` in it; verify the file as it was written")
    if data.get("version") != FORMAT:
        raise ReportError(f"{path.name}: written by another version of `psychosafe report`; make it again")
    try:
        return text, _Told.model_validate(data), marks[-1][0]
    except ValidationError as ex:
        raise ReportError(f"{path.name}: its provenance is damaged; make the report again") from ex


def _runs(store: Store, told: _Told) -> Iterator[str]:
    """Runs that are missing or have become others."""
    if sorted(told.manifests) != sorted({told.baseline, *told.runs}) or not told.runs:
        yield "the mark at the end of the file names other runs than hashes; make the report again"
        return
    for run_id, wanted in told.manifests.items():
        try:
            if store.manifest(run_id).identity() != wanted:
                yield f"{plain(run_id)}: its manifest is another one now"
        except StoreError:
            yield f"{plain(run_id)}: not in {store.root}; ingest or import it first"


def _differences(old: str, new: str, suffix: str) -> Iterator[str]:
    """Pieces of a file that come out otherwise, with the heading above them."""
    a, b = _pieces(old, suffix), _pieces(new, suffix)
    for tag, i0, i1, j0, j1 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        where = _above(b, j0, suffix)
        for k in range(max(i1 - i0, j1 - j0)):
            had = a[i0 + k] if k < i1 - i0 else None
            has = b[j0 + k] if k < j1 - j0 else None
            yield f"{where}{_told(had, has, suffix)}"


def _pieces(text: str, suffix: str) -> list[str]:
    found = _UNITS.split(text) if suffix == ".html" else text.splitlines()
    return [p for p in (q.strip() for q in found) if p]


def _above(pieces: Sequence[str], at: int, suffix: str) -> str:
    for piece in reversed(pieces[: at + 1]):
        match = _HEADING[suffix].search(piece)
        if match:
            return f"under {plain(_seen(next(filter(None, match.groups())), suffix), 70)!r}: "
    return ""


def _told(had: str | None, has: str | None, suffix: str) -> str:
    """Where two pieces part, with some text around."""
    if had is None:
        return f"{plain(_seen(has or '', suffix), _ROOM, ends=False)!r} is missing"
    if has is None:
        return f"{plain(_seen(had, suffix), _ROOM, ends=False)!r} was put in"
    old, new = _seen(had, suffix), _seen(has, suffix)
    what = "stands there, and the store gives"
    if old == new:
        # Only the markup differs, such as the place of a marker.
        old, new, what = had, has, "is drawn, and the store gives"
    first = next((i for i, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new)))
    start = max(0, first - 30)
    cut = [plain(("…" if start else "") + t[start:], _ROOM, ends=False) for t in (old, new)]
    return f"{cut[0]!r} {what} {cut[1]!r}"


def _seen(piece: str, suffix: str) -> str:
    """A piece as a reader sees it."""
    if suffix != ".html":
        return piece
    return " ".join(html.unescape(re.sub(r"<[^>]*>?", " ", piece)).split()) or piece


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{plain(k, 30)} {plain(v, 40)}" for k, v in list(versions.items())[:8])
