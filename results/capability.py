"""Whether a condition or a fine-tune costs capability: figures of benchmarks against those of the model without it.

A run of the benchmark harness and a run on prompts are of one system if their models have one name (its last part, so
that `hf/tiny`, `vendor/tiny` and a path that ends in `tiny` are one; of `vllm/BASE:ADAPTER` the adapter's), no revision
that both state differs, and they have one condition: the same system prompt by its hash, or none. What else makes a
system (generation settings, quantisation) the two do not state alike, so it is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from judges.stats import Estimate
from judges.stats.difference import skewed
from judges.stats.paired import Verdict, margin_verdict
from results.derived import content_of, kept
from results.extras import extra_measures
from results.manifest import Manifest, differing
from results.measure import Measure
from results.schema import CAPABILITY, HARNESS_RATER, LM_EVAL
from results.store import Store

MARGIN: Final = 0.02
"""Margin of non-inferiority where none is given: two points of a share of right answers."""
LEADING: Final = ("acc_norm", "acc", "exact_match")
"""Of several metrics of one task, the one that stands for it."""
_VERSION: Final = 1


@dataclass(frozen=True)
class Change:
    """One figure of a system against that of its reference.

    Attributes:
        name: The figure's name, `capability/<task>/<metric>`.
        task: The task.
        metric: The metric.
        run: Id of the harness's run of the system.
        reference: Id of the run that it is compared with; None where it is a reference itself or there is none.
        figure: The system's own figure.
        difference: Own - reference; None without a reference.
        margin: Margin of non-inferiority.
        paired: Whether the difference is paired on questions.
        verdict: What the interval says of 0 and of the margin.
        retained: Whether the figure is no worse than the reference's by the margin: True, False where it is worse by
            more, None where the interval leaves it open, or does not count because a figure is at chance.
        alarm: Why a figure must not be read as capability; empty if it may.
    """

    name: str
    task: str
    metric: str
    run: str
    reference: str | None
    figure: Estimate
    difference: Estimate | None
    margin: float
    paired: bool = False
    verdict: Verdict = "not tested"
    retained: bool | None = None
    alarm: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        difference = None if self.difference is None else self.difference.as_dict()
        return {**vars(self), "figure": self.figure.as_dict(), "difference": difference}


def with_items(store: Store, run: Manifest, found: Mapping[str, Measure]) -> dict[str, Measure]:
    """Measures whose capability figures have the scores of their questions, where these were logged."""
    names = [n for n, m in found.items() if m.group == CAPABILITY]
    scores = store.values(run.run_id, HARNESS_RATER) if names else {}
    return {
        **found,
        **{
            n: replace(found[n], values=scores[n], binary=set(scores[n].values()) <= {0.0, 1.0})
            for n in names
            if n in scores
        },
    }


def changes_between(store: Store, own: Manifest, reference: Manifest, margin: float = MARGIN) -> list[Change]:
    """The figures that two runs of the harness have in common, compared.

    Args:
        store: The store.
        own: The run.
        reference: What it is compared with.
        margin: Margin of non-inferiority, above 0.

    Returns:
        A change a figure; none where no figure was measured alike (same version of the task, shots, questions and
        chat template).
    """
    about = [own.run_id, reference.run_id]
    content = [_VERSION, margin, content_of(store, [own, reference])]
    made = kept(
        store, "capability", [*about, margin], content, ".json", lambda _: _compared(store, own, reference, margin)
    )
    return [_change(told) for told in json.loads(made)]


def what_differs(store: Store, own: Manifest, reference: Manifest) -> list[str]:
    """In what the figures of two runs differ, where none of them can be compared."""
    a, b = (extra_measures(store, m) for m in (reference, own))
    parts = {part for n in a.keys() & b.keys() for part in differing(a[n].parts, b[n].parts)}
    return sorted(parts) or ["tasks"]


def capability_changes(store: Store, runs: Sequence[Manifest], margin: float = MARGIN) -> dict[str, tuple[Change, ...]]:
    """By run, how its system's capability figures differ from those of its reference.

    The reference of a fine-tune whose base is known is the base without a condition; of any other system under a
    condition, the same model without it. A model without a condition has none: its own figures are given.

    Args:
        store: The store.
        runs: Runs on prompts. Those whose system has no run of the harness are left out.
        margin: Margin of non-inferiority.
    """
    known: dict[str, list[Manifest]] = {}
    for m in store.manifests():
        if m.task == LM_EVAL:
            known.setdefault(model_name(m.model.name), []).append(m)
    if not known:
        return {}
    made: dict[tuple[Any, ...], tuple[Change, ...]] = {}
    found = {}
    for run in runs:
        name = model_name(run.model.name)
        own = [
            m for m in known.get(name, ()) if m.run_id != run.run_id and _same_revision(m, run) and _same_given(m, run)
        ]
        if own:
            key = tuple(m.run_id for m in own)
            if key not in made:
                made[key] = _of_system(store, own, known, margin)
            found[run.run_id] = made[key]
    return found


def leading(changes: Iterable[Change]) -> list[Change]:
    """One change a task: of its leading metric."""
    best: dict[str, Change] = {}
    for c in changes:
        there = best.get(c.task)
        if there is None or _lead(c.metric) < _lead(there.metric):
            best[c.task] = c
    return list(best.values())


def model_name(name: str) -> str:
    """The name by which a model is known across tools: its last part, of `vllm/BASE:ADAPTER` the adapter's."""
    if name.startswith("vllm/") and ":" in name:
        name = name.split(":", 1)[1]
    return name.rstrip("/").rsplit("/", 1)[-1].lower()


def _of_system(
    store: Store, own: Sequence[Manifest], known: Mapping[str, Sequence[Manifest]], margin: float
) -> tuple[Change, ...]:
    """Every figure of a system once: compared if one of its runs can be, and better not at chance, and the latest."""
    options: dict[str, list[tuple[bool, bool, str, Change]]] = {}
    for run in own:
        compared = {
            c.name: c for ref in reversed(_references(run, known)) for c in changes_between(store, run, ref, margin)
        }
        for name, e in store.figures(run.run_id)[0].items():
            if name.startswith(f"{CAPABILITY}/") and e.value is not None:
                c = compared.get(name) or _alone(run, name, e, margin)
                options.setdefault(name, []).append((c.difference is not None, not c.alarm, run.created or "", c))
    return tuple(max(o, key=lambda x: x[:3])[3] for o in options.values())


def _references(run: Manifest, known: Mapping[str, Sequence[Manifest]]) -> list[Manifest]:
    """The runs that one is to be compared with, the latest first."""
    base = run.model.args.get("base")
    if base is None and run.condition.name == "none":
        return []
    name = model_name(str(base)) if base is not None else model_name(run.model.name)
    fits = [
        m
        for m in known.get(name, ())
        if m.run_id != run.run_id and m.condition.name == "none" and (base is not None or _same_revision(m, run))
    ]
    return sorted(fits, key=lambda m: m.created or "", reverse=True)


def _compared(store: Store, own: Manifest, reference: Manifest, margin: float) -> bytes:
    mine, theirs = (with_items(store, m, extra_measures(store, m)) for m in (own, reference))
    made = []
    for name, right in mine.items():
        left = theirs.get(name)
        if left is None or left.key != right.key or left.figure is None or right.figure is None:
            continue
        d = left.difference(right)
        both = sorted(left.values.keys() & right.values.keys())
        share = right.bounds == (0.0, 1.0)
        trusted = not skewed([right.values[i] - left.values[i] for i in both], d)
        # Where a figure is no measure of capability, a difference of nothing is no retention.
        alarm = _alarm(right.figure) or (f"the reference is {why}" if (why := _alarm(left.figure)) else "")
        change = _alone(own, name, right.figure, margin)
        change = replace(change, reference=reference.run_id, difference=d, paired=bool(both), alarm=alarm)
        if share and not alarm and d.low is not None and d.high is not None:
            verdict = margin_verdict(d, margin, right.higher_is_better, trusted)
            retained = True if d.low > -margin and trusted else False if d.high < -margin else None
            change = replace(change, verdict=verdict, retained=retained)
        made.append(asdict(change))
    return json.dumps(made, allow_nan=False).encode()


def _alone(run: Manifest, name: str, figure: Estimate, margin: float) -> Change:
    task, _, metric = name.removeprefix(f"{CAPABILITY}/").rpartition("/")
    return Change(name, task, metric, run.run_id, None, figure, None, margin, alarm=_alarm(figure))


def _alarm(figure: Estimate) -> str:
    """Why a figure that has a value and an interval is still not to be read."""
    return figure.reason if figure.low is not None else ""


def _change(told: dict[str, Any]) -> Change:
    difference = told["difference"]
    return Change(
        **{
            **told,
            "figure": Estimate(**told["figure"]),
            "difference": None if difference is None else Estimate(**difference),
        }
    )


def _lead(metric: str) -> int:
    plain = metric.split(" ", 1)[0]
    return LEADING.index(plain) if plain in LEADING else len(LEADING)


def _same_given(a: Manifest, b: Manifest) -> bool:
    if a.condition.system_sha256 or b.condition.system_sha256:
        return a.condition.system_sha256 == b.condition.system_sha256
    return a.condition.name is not None and a.condition.name == b.condition.name


def _same_revision(a: Manifest, b: Manifest) -> bool:
    stated = {a.model.revision, b.model.revision} - {None, "main"}
    return len(stated) < 2
