"""Importer of the PsychoSafe judgment layout: `compare_all_judges*.json`.

Flat keys read `<judge>_<run>_criterion_<n>`; judge names hold `-` and `.`, so they are parsed from the right. What
the source does not state (texts of the rubric and prompts, why a value is missing) stays unknown. Where the file holds
the answers (`model_answer_<run>`), what they are like is described as in a measured run; their texts are not stored.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from judges.combine import combine
from judges.describe import DESCRIBE_VERSION, describe
from judges.detectors import DESCRIBED
from judges.panels import family_of
from judges.response import read_response
from judges.scores import SCORING_VERSION, score
from judges.verdict import Verdict
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
from results.schema import DESCRIBE_RATER, PANEL_RATER, Rating
from rubrics.errors import MendableError
from rubrics.loader import load_rubric
from rubrics.model import Rubric

CRITERIA: Final = {1: "refusal", 2: "grounding", 3: "references", 4: "relevance"}
RUNS: Final = {
    "v0_full": ("Qwen/Qwen3.5-27B", "baseline"),
    "v1_full": ("Qwen/Qwen3.5-27B", "prompted (the paper's)"),
    "v0_sft": ("giannor/Qwen3.5-27B-psysafe", "baseline"),
    "v1_sft": ("giannor/Qwen3.5-27B-psysafe", "prompted (the paper's)"),
    "v0": ("Qwen/Qwen3.5-27B", "baseline"),
    "v1": ("Qwen/Qwen3.5-27B", "prompted (the paper's)"),
}
"""What the run names of the published files stand for."""
ANSWER: Final = "model_answer_"
"""Start of the key of a run's answers, in the files that hold them."""

_SERIES: Final = re.compile(r"^(?P<judge>.+?)_(?P<run>v\d+(?:_[a-z0-9]+)?)$")


class ImportRefused(MendableError):
    """A file that is not in the layout; the message names the row."""


def read_judgments(path: Path, domains: Mapping[str, str] | None = None) -> Iterator[tuple[Manifest, list[Rating]]]:
    """The runs of a judgment file: one a run name, all its judges as one panel.

    Args:
        path: The file.
        domains: Domain by prompt text, where a prompt set with labels is at hand.

    Raises:
        ImportRefused: It cannot be read, another layout, values off the scale, or repeated prompts.
    """
    try:
        raw = path.read_bytes()
    except OSError as ex:
        raise ImportRefused(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as ex:
        raise ImportRefused(f"{path.name}: not valid UTF-8 JSON; was it cut short?") from ex
    if not isinstance(data, dict) or not isinstance(data.get("results"), list) or not data["results"]:
        raise ImportRefused(f"{path.name}: no `results`; a PsychoSafe judgment file has models, num_items and results")
    rows = data["results"]
    runs = _series(data.get("models"), rows, path.name)
    items = _items(rows, domains or {}, path.name)
    rubric = load_rubric("paper")
    digest = hashlib.sha256(raw).hexdigest()
    for run, judges in runs.items():
        described = any(isinstance(row.get(ANSWER + run), str) for row in rows)
        source = SourceFacts(file=path.name, size=len(raw), sha256=digest, note=f"run {run}")
        manifest = _manifest(run, judges, items, rubric, source, described)
        ratings: list[Rating] = []
        for n, (row, item) in enumerate(zip(rows, items, strict=True), 1):
            ratings += _ratings(manifest, row, item, run, judges, rubric, f"{path.name}, result {n}")
        yield manifest, ratings


def item_id(prompt: str) -> str:
    """Id of an item. The files' own ids are positions; the text identifies an item across files."""
    return f"p-{hashlib.sha256(prompt.encode()).hexdigest()[:12]}"


def _series(models: Any, rows: list[Any], name: str) -> dict[str, list[str]]:
    """Judges by run name, from the file's own list or, where it has none, from the keys."""
    series = models if isinstance(models, list) else None
    if series is None:
        keys = {k for row in rows if isinstance(row, dict) for k in row}
        series = sorted({m.group(1) for k in keys if (m := re.match(r"^(.+)_criterion_\d$", k))})
    runs: dict[str, list[str]] = {}
    for one in series:
        match = _SERIES.match(str(one))
        if match is None:
            raise ImportRefused(f"{name}: {str(one)[:80]!r} does not read <judge>_<run>; name every model so")
        judges = runs.setdefault(match["run"], [])
        if match["judge"] in judges:
            raise ImportRefused(f"{name}: {str(one)[:80]!r} stands twice among the models; name each once")
        judges.append(match["judge"])
    if not runs:
        raise ImportRefused(
            f"{name}: no `<judge>_<run>_criterion_<n>` keys; give a judgment file of the PsychoSafe layout"
        )
    return runs


def _items(rows: list[Any], domains: Mapping[str, str], name: str) -> list[ItemFacts]:
    items: list[ItemFacts] = []
    seen: set[str] = set()
    for n, row in enumerate(rows, 1):
        prompt = row.get("prompt") if isinstance(row, dict) else None
        if not isinstance(prompt, str) or not prompt:
            raise ImportRefused(f"{name}, result {n}: no `prompt`; give every result its text")
        if prompt in seen:
            raise ImportRefused(f"{name}, result {n}: a prompt that stands above already; keep one of the results")
        seen.add(prompt)
        try:
            name_of_it, digest = item_id(prompt), hashlib.sha256(prompt.encode()).hexdigest()
        except UnicodeEncodeError as ex:
            raise ImportRefused(
                f"{name}, result {n}: the prompt holds half a character (a lone surrogate); mend its encoding"
            ) from ex
        items.append(ItemFacts(id=name_of_it, sha256=digest[:16], domain=domains.get(prompt)))
    return items


def _manifest(
    run: str, judges: list[str], items: list[ItemFacts], rubric: Rubric, source: SourceFacts, described: bool
) -> Manifest:
    model, condition = RUNS.get(run, (run, None))
    family = family_of(model)
    families = {f for f in map(family_of, judges) if f}
    return Manifest(
        run_id=make_run_id(["published", model.split("/")[-1], run], [source.sha256, run]),
        origin="imported",
        task="psychosafe",
        model=ModelFacts(name=model, family=family),
        condition=ConditionFacts(name=condition),
        prompt_set=PromptSetFacts(name="PsychoSafe validation", scored=len(items)),
        items=tuple(sorted(items, key=lambda i: i.id)),
        rubric=RubricFacts(
            name="PsychoSafe, as published",
            scales={c.id: ScaleFacts.of(c) for c in rubric.criteria},
            scores=tuple(a.id for a in rubric.aggregates),
        ),
        panel=PanelFacts(judges=tuple(JudgeFacts(id=j, kind="llm", family=family_of(j)) for j in judges)),
        scoring=SCORING_VERSION,
        detectors={"describe": DESCRIBE_VERSION} if described else {},
        counts={"responses": len(items)},
        source=source,
        self_family=family in families if family and families else None,
    )


def _ratings(
    manifest: Manifest, row: Mapping[str, Any], item: ItemFacts, run: str, judges: list[str], rubric: Rubric, where: str
) -> Iterator[Rating]:
    def rating(rater: str, kind: str, criterion: str, value: float | None, status: str | None) -> Rating:
        return Rating(
            run_id=manifest.run_id, item_id=item.id, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
            origin="imported", criterion=criterion, value=value, status=status,
        )  # fmt: skip

    verdicts = []
    for judge in judges:
        values: dict[str, float] = {}
        for n, criterion in CRITERIA.items():
            raw = row.get(f"{judge}_{run}_criterion_{n}")
            value = _value(rubric, criterion, raw, f"{where}, {judge} {run} criterion {n}")
            if value is not None:
                values[criterion] = value
            # Why a value is missing is not stated, so the status stays unknown.
            yield rating(judge, "llm", criterion, value, None if value is None else "ok")
        verdicts.append(Verdict.given(judge, rubric, values, otherwise="unparsable"))
    panel = combine(rubric, verdicts)
    for criterion, combined in panel.items():
        yield rating(PANEL_RATER, "panel", criterion, combined.value, combined.status)
    for name, s in score(rubric, {c: p.value for c, p in panel.items()}, None).items():
        yield rating(PANEL_RATER, "panel", name, s.value, s.status)
    for criterion, number in _described(row.get(ANSWER + run), where).items():
        status = "ok" if number is not None else "undefined"
        # Ours, from the text: the one part of an imported run that was measured here.
        yield {**rating(DESCRIBE_RATER, "rule", criterion, number, status), "origin": "measured"}


def _described(answer: Any, where: str) -> dict[str, float | None]:
    """What an answer is like; nothing where there is none, or none that would be judged."""
    if answer is None:
        return {}
    if not isinstance(answer, str):
        raise ImportRefused(f"{where}: an answer that is no text; write a text or null")
    response = read_response(answer)
    if not response.judged:
        return {}
    found = describe(response.text).as_dict()
    return {c: None if found[c] is None else round(float(found[c]), 3) for c in DESCRIBED}


def _value(rubric: Rubric, criterion: str, raw: Any, where: str) -> float | None:
    if raw is None:
        return None
    if rubric.criterion(criterion).scale == "binary":
        if raw in ("Yes", "No"):
            return float(raw == "Yes")
        raise ImportRefused(f"{where}: {str(raw)[:40]!r} is neither Yes, No nor null")
    try:
        value = float("nan") if isinstance(raw, bool) else float(raw)
    except (TypeError, ValueError, OverflowError):
        value = float("nan")
    if value not in rubric.criterion(criterion).values:
        raise ImportRefused(f"{where}: {str(raw)[:40]!r} is not on the scale 1 to 5")
    return value
