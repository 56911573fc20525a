"""What a report says of how it was measured, and what its own data say against it: all from manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from leaderboard.present import plain, run_warnings
from results.manifest import OPERATIONAL, JudgeFacts, Manifest

if TYPE_CHECKING:
    from leaderboard.paper.content import Paper

_KINDS: Final = {"llm": "a language model", "rule": "rules", "human": "a person"}
_OURS: Final = frozenset({"open", "contrast", "escalation"})
"""Prompt sets of this project, which no expert has reviewed."""
_USER: Final = re.compile(r"//[^/@\s]*@")
_FEW: Final = 100
"""Items below which a report says that they are few: a difference of a tenth is within chance there."""


def methods(found: Paper, software: Mapping[str, str]) -> Iterator[str]:
    """What was asked, of whom, judged how, and analysed how.

    Args:
        found: The figures.
        software: Versions of what computed them.
    """
    yield _prompts(found.runs)
    for m in found.runs:
        yield _system(m)
    yield from _judging(found.runs)
    name = {"holm": "Holm", "bh": "Benjamini-Hochberg"}[found.correction]
    yield (
        "Differences are paired on prompts, with 95 % intervals: score intervals (Tango) on yes-no criteria, t "
        "intervals elsewhere, a cluster bootstrap beside them; shares have Wilson intervals. Tests are McNemar's "
        "exact test on yes-no criteria and sign flips of differences elsewhere (exact where counts allow, else paired "
        f"t), corrected ({name}) over all scores and domains of a comparison. The margin of equivalence is "
        f"{found.margin:g} of each measure's range. Relative changes, quantiles and ranks are resampled from a fixed "
        "seed."
    )
    yield f"Computed by {', '.join(f'{k} {v}' for k, v in software.items())}."


def _prompts(runs: Sequence[Manifest]) -> str:
    sets = {}
    for m in runs:
        p = m.prompt_set
        name = plain(p.name or "a set that is not named", 60)
        facts = [f"SHA-256 {p.sha256[:12]}" if p.sha256 else "no hash on record"]
        if m.limited:
            facts.append(f"of {p.n}")
        sets[f"{p.scored} prompts of {name}{' ' + plain(p.version, 20) if p.version else ''} ({', '.join(facts)})"] = 1
    epochs = sorted({m.epochs for m in runs})
    answers = "1 answer" if epochs == [1] else f"{' or '.join(map(str, epochs))} answers"
    return f"Prompts: {'; '.join(sets)}; {answers} to each."


def _system(m: Manifest) -> str:
    """One system as its manifest has it; what is not on record is named."""
    model = m.model
    facts = [f"{'reference policy' if m.kind == 'reference' else 'model'} {plain(model.name, 80)}"]
    if m.kind == "reference":
        facts[0] += " (a program of this project, no language model)"
    elif model.revision:
        facts[0] += f" at revision {plain(model.revision, 40)}"
    else:
        facts[0] += ", revision not on record"
    if model.base_url:
        facts.append(f"served at {plain(_USER.sub('//', model.base_url), 80)}")
    settings = {**model.args, **{k: v for k, v in model.generation.items() if k not in OPERATIONAL}}
    settings = {k: v for k, v in settings.items() if k != "revision"}
    facts.append(f"settings {_pairs(settings)}" if settings else _unset(m))
    facts.append(_condition(m))
    if m.origin == "measured":
        ours, commit = m.versions.get("harness"), m.versions.get("commit")
        by = f"psychosafe-eval {ours or 'of unknown version'}{f' at commit {commit}' if commit else ''}"
        inspect = m.versions.get("inspect_ai")
        day = m.created[:10] if m.created else "on an unknown day"
        facts.append(f"run {day} with {by} and inspect_ai {inspect or 'of unknown version'}")
    else:
        digest = f", SHA-256 {m.source.sha256[:12]}" if m.source.sha256 else ""
        when = f" of {m.created[:10]}" if m.created else ", day of the run not on record"
        facts.append(f"{m.origin} from {plain(m.source.file, 60)}{digest}{when}")
    return f"System: {'; '.join(facts)}."


def _unset(m: Manifest) -> str:
    if m.origin != "measured":
        return "generation settings not on record"
    return "no generation settings given" if m.kind == "reference" else "no generation settings given: the provider's"


def _condition(m: Manifest) -> str:
    name = plain(m.condition.name or "not stated", 60)
    if m.condition.system_sha256:
        return f"condition {name}, system prompt SHA-256 {m.condition.system_sha256[:12]}"
    return f"condition {name}, " + ("no system prompt" if m.condition.name == "none" else "its text not on record")


def _judging(runs: Sequence[Manifest]) -> Iterator[str]:
    """Panels, rubrics and what read the answers before them; more than one only where runs differ."""
    panels: dict[str, None] = {}
    for m in runs:
        seats = "; ".join(_seat(j) for j in m.panel.judges) or "not stated"
        facts = [f"panel {plain(m.panel.name, 40)}" if m.panel.name else "panel not named"]
        facts.append(f"SHA-256 {m.panel.sha256[:12]}" if m.panel.sha256 else "its configuration not on record")
        if any(j.kind == "llm" for j in m.panel.judges):
            facts.append(f"judge prompt {m.panel.prompt}" if m.panel.prompt else "judge prompt not on record")
        if len(m.panel.judges) > 1:
            facts.append("strict majority on yes-no and named categories, median on scales, more than half must answer")
        panels[f"Judges: {seats} ({', '.join(facts)})."] = None
    yield from panels
    rubrics: dict[str, None] = {}
    for m in runs:
        r = m.rubric
        wording = f" (SHA-256 {r.sha256[:12]})" if r.sha256 else ", whose wording is not on record"
        rubrics[f"Rubric: {plain(r.name or 'not stated', 60)}{wording}; criteria {', '.join(r.criteria)}."] = None
    yield from rubrics
    texts: dict[str, None] = {}
    for m in runs:
        read = {"response normaliser": m.normaliser, "scoring": m.scoring, "routing table": m.routing, **m.detectors}
        known = ", ".join(f"{k} {plain(v, 60)}" for k, v in read.items() if v)
        lacking = ", ".join(k for k, v in read.items() if not v)
        texts[f"Versions: {known or 'none on record'}{f'; not on record: {lacking}' if lacking else ''}."] = None
    yield from texts


def _seat(j: JudgeFacts) -> str:
    facts = [_KINDS[j.kind]]
    if j.model and j.model != j.id:
        facts.append(plain(j.model, 80))
    if j.kind == "llm":
        facts.append(f"family {plain(j.family, 30)}" if j.family else "family not known")
    if j.base_url:
        facts.append(f"at {plain(_USER.sub('//', j.base_url), 80)}")
    if j.config:
        facts.append(_pairs(j.config))
    elif j.kind == "llm":
        facts.append("settings not on record")
    return f"{plain(j.id, 60)} ({', '.join(facts)})"


def _pairs(settings: Mapping[str, Any]) -> str:
    return plain(", ".join(f"{k} {v}" for k, v in settings.items()), 200, ends=False)


def limitations(found: Paper) -> Iterator[str]:
    """What the data themselves say against the results."""
    for m in found.runs:
        for warning in run_warnings(m, {}, found.runs):
            yield f"{plain(m.label, 80)}: {warning}."
    yield from _systems(found.runs)
    yield from _coverage(found)
    yield from _raters(found)
    items = max((m.prompt_set.scored for m in found.runs), default=0)
    if items < _FEW:
        yield f"The runs have {items} prompts at most: see in the tables which differences these could have shown."
    if all(m.epochs == 1 for m in found.runs):
        yield (
            "Each prompt was answered once: intervals are over prompts, and leave out what another run of the same "
            "system would change."
        )
    if len(found.comparisons) > 1:
        yield (
            f"P values are corrected within each of the {len(found.comparisons)} comparisons and not over them; "
            "intervals are not corrected."
        )
    else:
        yield "P values are corrected; intervals are not, and each holds for itself."
    if any(m.prompt_set.name in _OURS for m in found.runs):
        yield "The prompts were written by language models and have been reviewed by no expert."


def _systems(runs: Sequence[Manifest]) -> Iterator[str]:
    def of(chosen: Sequence[Manifest]) -> str:
        return ", ".join(dict.fromkeys(plain(m.label, 80) for m in chosen))

    policies = [m for m in runs if m.kind == "reference"]
    if policies:
        yield f"Reference policies are programs that anchor the scale, and no models: {of(policies)}."
    foreign = [m for m in runs if m.origin != "measured"]
    if foreign:
        yield (
            f"Judged elsewhere: {of(foreign)}. Generation settings, how many answers were cut, and how the judges were "
            "asked are known only as far as the methods say."
        )
    loose = [m for m in runs if m.kind != "reference" and not m.model.revision]
    if loose:
        models = ", ".join(dict.fromkeys(plain(m.model.name, 80) for m in loose))
        yield f"No revision is on record of {models}: the weights behind the name may have changed."
    unknown = [m for m in runs if m.self_family is None and any(j.kind == "llm" for j in m.panel.judges)]
    unknown = [m for m in unknown if m.kind != "reference"]
    if unknown:
        yield f"Whether a judge is of the family of the model that it judges is not known for {of(unknown)}."


def _coverage(found: Paper) -> Iterator[str]:
    for c in found.comparisons:
        thin = [r for r in c.rows if r.group == "score" and (r.difference.coverage or 1) < 1]
        if thin:
            worst = min(thin, key=lambda r: r.difference.coverage or 1)
            yield (
                f"{plain(c.other.label, 80)}: {len(thin)} of the scores lack items; {worst.label} rests on "
                f"{worst.difference.n} of {worst.difference.total}. What is missing is not random."
            )


def _raters(found: Paper) -> Iterator[str]:
    if all(len(m.panel.judges) == 1 for m in found.runs):
        yield "One judge rated: how far the figures hang on the choice of the judge is not known."
    if found.agreement is None:
        yield "No person has rated these answers: how far the judges can be trusted on them is not known."
        return
    if len(found.agreement.people) == 1:
        yield "One person rated: how far people agree with each other is not known."
    units = {unit for rated in found.agreement.criteria.values() for unit in rated.units}
    total = sum(m.prompt_set.scored * m.epochs for m in found.runs)
    if len(units) < total:
        yield f"People rated {len(units)} of the {total} answers; on the others the judges stand alone."
