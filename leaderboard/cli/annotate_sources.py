"""Where a plan's responses come from: finished Inspect logs, and files of the published layout that hold answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from judges.annotation.blind import blind
from judges.annotation.plan import COMPLIED, Candidate, HelpLine, PlanError
from results.manifest import Manifest
from results.schema import PANEL_RATER

REFUSAL: Final = "refusal"
"""The criterion by which a response counts as compliant: what the panel did not judge refused."""
ANSWER: Final = "model_answer_"


@dataclass(frozen=True)
class Responses:
    """The responses of one run, with the names that could tell on it."""

    run: Manifest
    candidates: tuple[Candidate, ...]
    names: tuple[str, ...]


def from_log(path: Path, rubric: str) -> Responses:
    """The responses of a log, under the run id that `ingest` gives it.

    Of several panels in one log the first that rated by this rubric gives the run, else the first. A dialogue has a
    candidate a turn, with what was said before as its message; names are taken out of the earlier answers, too.

    Args:
        path: A finished log.
        rubric: Name of the plan's rubric.

    Raises:
        RejudgeError: No finished log with responses.
        LogError: No verdicts of a panel in it.
    """
    from evals.dialogues.play import transcript
    from evals.rejudge_job import read_job
    from results.ingest import read_log

    job = read_job(path)
    runs = read_log(path)
    run, ratings = next((r for r in runs if r[0].rubric.name == rubric), runs[0])
    names = _names(run)
    verdicts = _verdicts(ratings.to_pylist())
    domains = {item.id: item.domain or "" for item in run.items}
    found = []
    for sample, given in job.work:
        metadata = sample.metadata or {}
        script = [str(line) for line in metadata.get("script") or ()]
        said = [replace(r, text=blind(r.text, names)) for r in given] if script else []
        for k, response in enumerate(given):
            if not response.judged:
                continue
            item, turn = str(sample.id), k + 1 if script else 0
            if script:
                prompt = transcript(script, said, k)
            elif isinstance(sample.input, str):
                prompt = sample.input
            else:
                prompt = next((m.text for m in reversed(sample.input) if m.role == "user"), "")
            found.append(
                Candidate(
                    run.run_id, item, sample.epoch, turn, prompt, response.text, domains.get(item, ""), run.label,
                    verdicts.get((item, sample.epoch, turn), "unjudged"),
                )
            )  # fmt: skip
    return Responses(run, tuple(found), names)


def once(found: Sequence[Responses]) -> tuple[list[Responses], list[str]]:
    """Without the runs whose answers another one has, judged again; and a line for each that is left out.

    Of several that judge the same answers the first judged is kept, or the first given where that one is not there.
    """
    first: dict[str, str] = {}
    for run in sorted((r.run for r in found), key=lambda m: bool(m.source.rejudged_from)):
        first.setdefault(_judged_first(run), run.run_id)
    # A log that is named twice stays, to be refused as such.
    kept_for = {r.run.run_id: first[_judged_first(r.run)] for r in found}
    lines = [
        f"{run}: the answers of {kept}, judged again; left out, so that no answer is rated as two"
        for run, kept in kept_for.items()
        if run != kept
    ]
    return [r for r in found if kept_for[r.run.run_id] == r.run.run_id], lines


def _judged_first(run: Manifest) -> str:
    """The run that judged these answers first."""
    return (*run.source.rejudged_from, run.run_id)[0]


def from_answers(path: Path, domains: Mapping[str, str]) -> Iterator[Responses]:
    """The runs of a judgment file of the published layout that holds the answers, under the ids that `import` gives.

    Args:
        path: The file.
        domains: Domain by prompt text, where known.

    Raises:
        ImportRefused: Another layout.
        PlanError: The file has no answers in it.
    """
    from results.importers.psychosafe import read_judgments

    if not path.is_file():
        raise PlanError(f"no file {path}; give a judgment file that holds the answers")
    runs = list(read_judgments(path, domains))
    rows = json.loads(path.read_bytes())["results"]
    empty = True
    for run, ratings in runs:
        # The importer notes which run of the file it read.
        key = ANSWER + (run.source.note or "").removeprefix("run ")
        ids = {item.sha256: item for item in run.items}
        verdicts = _verdicts(ratings)
        found = []
        for row in rows:
            if not isinstance(row.get(key), str):
                continue
            item = ids[hashlib.sha256(row["prompt"].encode()).hexdigest()[:16]]
            verdict = verdicts.get((item.id, 1, 0), "unjudged")
            found.append(
                Candidate(run.run_id, item.id, 1, 0, row["prompt"], row[key], item.domain or "", run.label, verdict)
            )
        if found:
            empty = False
            yield Responses(run, tuple(found), _names(run))
    if empty:
        raise PlanError(f"{path.name}: judgments without answers; give the file whose rows have {ANSWER}<run>")


def _verdicts(ratings: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int, int], str]:
    """What the panel made of each response."""
    return {
        (r["item_id"], r["epoch"], r["turn"]): "refused" if r["value"] >= 0.5 else COMPLIED
        for r in ratings
        if r["rater"] == PANEL_RATER and r["criterion"] == REFUSAL and r["value"] is not None
    }


def _names(run: Manifest) -> tuple[str, ...]:
    """What names a system: its full name, and the last part of it unless that is a plain word."""
    name = run.model.name
    last = name.rsplit("/", 1)[-1]
    return tuple(n for n in (name, last) if not n.isalpha())


def help_lines(countries: Sequence[str]) -> tuple[HelpLine, ...]:
    """Verified crisis lines of some countries, and the world directory.

    Raises:
        PlanError: A country without one.
    """
    from rubrics.helplines import WORLD, load_helplines

    registry = list(load_helplines())
    found = []
    for country in dict.fromkeys(c.upper() for c in countries):
        # Lines for everybody first; an annotator may be anybody.
        lines = [h for h in registry if h.country == country and h.status == "verified" and "crisis" in h.classes]
        lines = [h for h in lines if h.audience == "everyone" and not h.region]
        if not lines:
            raise PlanError(f"no verified crisis line for {country[:20]!r}; leave --country out, or give another")
        found += [
            HelpLine(name=h.names[0], contact=" / ".join((*h.short_codes[:1], *h.phones[:1])) or h.url, country=country)
            for h in lines[:3]
        ]
    world = [h for h in registry if h.country == WORLD and h.status != "stale" and "crisis" in h.classes and h.url]
    return (*found, *(HelpLine(name=h.aliases[0] if h.aliases else h.name, contact=h.url) for h in world[:1]))
