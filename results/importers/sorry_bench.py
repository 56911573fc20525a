"""Importer of SORRY-Bench's judgment files, `model_judgment*/`.

Two layouts. The benchmark's own has one file a judge for all models, `model_judgment/JUDGE.jsonl` for the base set and
`model_judgment_STYLE/JUDGE.jsonl` for a mutation. Others keep one file a model, `model_judgment/JUDGE/MODEL.jsonl`, or
say `prompt_style` and `category` in each row, which wins over the folder's name. What the source does not state (why
a score is null, the judge's settings) stays unknown. Labels are the benchmark's: 1 is fulfilment; some ports invert
them, which no importer can see.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evals.sorry.rubric import FULFILMENT, RUBRIC
from evals.sorry.taxonomy import BASE, MUTATIONS, Release, SorryError, item_id, release_of
from judges.panels import family_of
from results.importers.dates import dated
from results.importers.psychosafe import ImportRefused
from results.manifest import (
    ConditionFacts,
    ItemFacts,
    JudgeFacts,
    Manifest,
    ModelFacts,
    PanelFacts,
    PromptSetFacts,
    RubricFacts,
    ScaleFacts,
    SourceFacts,
    make_run_id,
)
from results.schema import PANEL_RATER, Rating

FOLDER: Final = "model_judgment"
SUFFIXES: Final = ("_decoded", "_translated_to_en")
"""What the pipeline appends to a style whose answers it has decoded or translated."""
_STYLES: Final = (BASE, *MUTATIONS)
_NOT_READ: Final = -1
"""What FastChat, from which the pipeline is made, writes for a judge's answer without a score."""


@dataclass(frozen=True)
class _Row:
    question_id: int
    style: str
    category: str
    value: float | None
    stamp: Any = None


@dataclass(frozen=True)
class _File:
    path: Path
    judge: str
    model: str | None
    style: str | None
    raw: bytes


def read_judgments(source: Path, release: str = "202503") -> Iterator[tuple[Manifest, list[Rating]]]:
    """The runs of judgment files: one for each model and judge, all its styles together.

    Args:
        source: A judgment file, or a folder in which `model_judgment*` is looked for.
        release: The release whose questions were judged; ids mean other categories in another.

    Raises:
        ImportRefused: Another layout, a score off the scale, a question or category that the release has not, or a
            row that stands twice. The message names file and line.
    """
    try:
        the_release = release_of(release)
    except SorryError as ex:
        raise ImportRefused(str(ex)) from ex
    files = _files(source)
    runs: dict[tuple[str, str], dict[str, _Row]] = {}
    for file in files:
        for n, row in _lines(file):
            where = f"{file.path.name}, line {n}"
            if file.path.parent.name != FOLDER:
                where = f"{file.path.parent.name}/{where}"
            model, parsed = _parse(row, file, the_release, where)
            rows = runs.setdefault((model, file.judge), {})
            item = item_id(parsed.question_id, parsed.style)
            if item in rows:
                raise ImportRefused(
                    f"{where}: question {parsed.question_id} of style {parsed.style!r} stands twice for "
                    f"{model[:80]!r}; keep one of the rows"
                )
            rows[item] = parsed
    if not runs:
        raise ImportRefused(f"{source.name}: no judgments in it; a row has question_id, model and score")
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.raw).digest() for file in files)).hexdigest()
    size = sum(len(file.raw) for file in files)
    for (model, judge), rows in sorted(runs.items()):
        facts = SourceFacts(file=source.name, size=size, sha256=digest, note=f"{len(files)} files")
        manifest = _manifest(model, judge, rows, the_release, facts)
        yield manifest, list(_ratings(manifest, judge, rows))


def _files(source: Path) -> list[_File]:
    source = source.resolve()
    if source.is_dir():
        paths = sorted(p for p in source.rglob("*.jsonl") if p.is_file() and _folder(p) is not None)
        if not paths:
            raise ImportRefused(
                f"{source.name}: no {FOLDER}*/*.jsonl in this folder; give the one that holds the judgments"
            )
    elif source.is_file():
        paths = [source]
    else:
        raise ImportRefused(f"{source.name}: no such file or folder; give the judgment files, or their folder")
    return [_file(path) for path in paths]


def _folder(path: Path) -> Path | None:
    """The `model_judgment*` folder that a file lies in, itself or one below."""
    near = (path.parent, path.parent.parent)
    return next((p for p in near if p.name == FOLDER or p.name.startswith(f"{FOLDER}_")), None)


def _file(path: Path) -> _File:
    folder = _folder(path.resolve())
    style = None
    if folder is not None:
        style = folder.name.removeprefix(FOLDER).removeprefix("_") or BASE
    nested = folder is not None and folder != path.resolve().parent
    try:
        raw = path.read_bytes()
    except OSError as ex:
        raise ImportRefused(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex
    return _File(
        path, judge=path.resolve().parent.name if nested else path.stem, model=path.stem if nested else None,
        style=style, raw=raw,
    )  # fmt: skip


def _lines(file: _File) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = file.raw.decode("utf-8-sig")
    except UnicodeDecodeError as ex:
        raise ImportRefused(f"{file.path.name}: not UTF-8 (byte {ex.start}); save the file as UTF-8") from ex
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as ex:
            raise ImportRefused(f"{file.path.name}, line {n}: not valid JSON; one object a line") from ex
        if not isinstance(row, dict):
            raise ImportRefused(f"{file.path.name}, line {n}: not an object with question_id, model and score")
        yield n, row


def _parse(row: Mapping[str, Any], file: _File, release: Release, where: str) -> tuple[str, _Row]:
    model = row.get("model") or row.get("model_id") or file.model
    if not isinstance(model, str) or not model.strip():
        raise ImportRefused(f"{where}: no `model`; give every row the model that answered")
    raw = row.get("question_id")
    text = str(raw).strip() if isinstance(raw, int | str) and not isinstance(raw, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise ImportRefused(f"{where}: question_id {repr(raw)[:40]} is no whole number")
    number = int(text)
    if not 1 <= number <= release.questions:
        raise ImportRefused(
            f"{where}: question_id {number} is not in release {release.name}, which has 1 to {release.questions}"
        )
    try:
        category = release.category(number, row.get("category"), where)
    except SorryError as ex:
        raise ImportRefused(str(ex)) from ex
    return model.strip(), _Row(number, _style(row, file, where), category, _value(row, where), row.get("tstamp"))


def _style(row: Mapping[str, Any], file: _File, where: str) -> str:
    stated = row.get("prompt_style") or file.style
    if not isinstance(stated, str):
        raise ImportRefused(f"{where}: no `prompt_style`, and the file lies in no {FOLDER} folder that would say it")
    for suffix in SUFFIXES:
        stated = stated.removesuffix(suffix)
    if stated not in _STYLES:
        raise ImportRefused(f"{where}: unknown prompt_style {stated[:40]!r}; use one of {', '.join(_STYLES)}")
    return stated


def _value(row: Mapping[str, Any], where: str) -> float | None:
    if "score" not in row:
        raise ImportRefused(f"{where}: no `score`; write null where the judge gave none")
    raw = row["score"]
    if raw is None:
        return None
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        if raw == _NOT_READ:
            return None
        if raw in (0, 1):
            return float(raw)
    raise ImportRefused(f"{where}: score {repr(raw)[:40]} is neither 0, 1 nor null")


def _manifest(model: str, judge: str, rows: Mapping[str, _Row], release: Release, facts: SourceFacts) -> Manifest:
    items = [ItemFacts(id=item, category=row.category) for item, row in rows.items()]
    styles = [s for s in _STYLES if any(row.style == s for row in rows.values())]
    missing = sum(row.value is None for row in rows.values())
    family, judge_family = family_of(model), family_of(judge)
    note = dated(f"{facts.note}; styles {_some(styles)}", (row.stamp for row in rows.values()))
    return Manifest(
        run_id=make_run_id(["sorry-bench", model.split("/")[-1], judge], [facts.sha256, model, judge]),
        origin="imported",
        task="sorry_bench",
        model=ModelFacts(name=model, family=family),
        condition=ConditionFacts(),
        prompt_set=PromptSetFacts(
            name=f"SORRY-Bench {release.name}", version=release.name, n=release.questions * len(styles),
            scored=len(rows),
        ),
        items=tuple(sorted(items, key=lambda i: i.id)),
        rubric=RubricFacts(
            name="SORRY-Bench, as published",
            scales={FULFILMENT: ScaleFacts.of(RUBRIC.criterion(FULFILMENT))},
        ),
        panel=PanelFacts(judges=(JudgeFacts(id=judge, kind="llm", family=judge_family),)),
        limited=len(rows) < release.questions * len(styles),
        counts={"responses": len(rows), "without a score": missing},
        source=facts.model_copy(update={"note": note}),
        self_family=family == judge_family if family and judge_family else None,
    )  # fmt: skip


def _some(styles: Sequence[str]) -> str:
    return ", ".join(styles) if len(styles) <= 5 else f"{len(styles)}"


def _ratings(manifest: Manifest, judge: str, rows: Mapping[str, _Row]) -> Iterator[Rating]:
    for item, row in rows.items():
        # One judge is the whole panel. Why it gave no score is not stated, so its status stays unknown.
        status = None if row.value is None else "ok"
        for rater, kind, its in ((judge, "llm", status), (PANEL_RATER, "panel", status or "no_quorum")):
            yield Rating(
                run_id=manifest.run_id, item_id=item, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
                origin="imported", criterion=FULFILMENT, value=row.value, status=its,
            )  # fmt: skip
