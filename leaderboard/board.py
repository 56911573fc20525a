"""What the board shows, as plain data: groups of comparable runs, with every figure as an estimate.

No page code here: the Streamlit app, the static file and the tests read the same `Board`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from judges.stats import Estimate
from leaderboard import present
from results.compare import LABELS, PAIR_SCORE, Measure, measures, twin_run
from results.dialogues import Timing, timing
from results.extras import HEADINGS, extra_measures
from results.manifest import Manifest, ScaleFacts, differing, short_hash
from results.measure import LOWER_IS_BETTER, SUPPORT_BESIDE
from results.parallel import ParallelRow, parallel_rows
from results.published import published_runs, reference_runs
from results.schema import PANEL_RATER
from results.store import Store, StoreError
from rubrics.loader import load_rubric

ORDER: Final = (PAIR_SCORE, "quality", present.TWINS, "paper", "gated_published")
"""Display order of the scores; criteria follow in the rubric's order."""
Kind = Literal["model", "reference", "published"]


@dataclass(frozen=True)
class Column:
    """A measure as a column: its name, how people read it, its scale and direction."""

    name: str
    label: str
    bounds: tuple[float, float] = (0.0, 1.0)
    higher_is_better: bool = True


@dataclass(frozen=True)
class BoardRow:
    """One run of one system, or one published system.

    Attributes:
        run_id: The run.
        label: Model and condition; unique within its group. Untrusted text.
        model: Name of the model or policy. Untrusted text.
        kind: Models, reference policies and published rows are never mixed.
        condition: Name of the condition, where stated.
        measures: Estimate by measure name, in display order.
        ranked: Whether it has a pair score that its group compares.
        reason: Why it is not ranked.
        warnings: What to know before comparing.
    """

    run_id: str
    label: str
    model: str
    kind: Kind
    condition: str | None
    measures: Mapping[str, Estimate]
    ranked: bool
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Why it is unranked, then its warnings."""
        return (
            self.warnings if self.ranked or self.kind == "published" else (f"unranked: {self.reason}", *self.warnings)
        )


@dataclass(frozen=True)
class Group:
    """Runs with one comparability key. Each list is ranked by pair score, then the unranked by label.

    Attributes:
        key: The key, of the rubric's first criterion.
        parts: What went into it.
        title: Prompt set, items, rubric and panel. Untrusted text.
        columns: The measures, in display order.
        models: Models.
        references: Reference policies: anchors and cheats, no models.
        published: Imported runs.
        sentence: What the pair scores say.
        rules_only: Whether no judge is a model or a person.
        parallel: Public against private form, for systems that were run on both.
        timing: Of dialogues, when things happened, by the row's label. Labels are untrusted text.
        beside: What stands beside the scores, by heading of `results.extras`: measures by the row's label.
    """

    key: str
    parts: Mapping[str, Any]
    title: str
    columns: tuple[Column, ...]
    models: tuple[BoardRow, ...]
    references: tuple[BoardRow, ...]
    published: tuple[BoardRow, ...]
    sentence: str
    rules_only: bool
    parallel: tuple[ParallelRow, ...] = ()
    timing: tuple[tuple[str, Timing], ...] = ()
    beside: Mapping[str, tuple[tuple[str, Mapping[str, Measure]], ...]] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[BoardRow, ...]:
        """Models, then reference policies, then imported runs."""
        return self.models + self.references + self.published


@dataclass(frozen=True)
class PublishedSection:
    """Published figures of one source, in the source's order: other prompts, other judges."""

    source: str
    revision: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[BoardRow, ...]
    title: str = "Published figures"


@dataclass(frozen=True)
class Board:
    """Everything on the page.

    Attributes:
        groups: Comparable runs.
        published: Published figures, apart from every group.
        damaged: Runs that cannot be read and are left out, with the reason.
        notes: Other things that are left out.
    """

    groups: tuple[Group, ...]
    published: tuple[PublishedSection, ...]
    damaged: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load_board(store: Store) -> Board:
    """The board of a store.

    Runs on benign twins only are no rows: they feed the pair score of their system. Damaged runs are named and left
    out, also as twins.

    Raises:
        OSError: The store's folder cannot be read.
    """
    sound = _Sound(store)
    every = list(sound.manifests())
    risky = [m for m in every if not _twins_only(m)]
    by_key: dict[str, list[Manifest]] = {}
    for m in risky:
        by_key.setdefault(_key(sound, m), []).append(m)
    groups = [_group(sound, runs) for runs in by_key.values()]
    groups.sort(key=lambda g: (-sum(r.ranked for r in g.rows), g.title, g.key))
    systems = {m.system_id for m in risky}
    notes = [
        f"{present.plain(m.label)}: only its run on benign twins is in the store ({m.run_id}); it has no row"
        for m in every
        if _twins_only(m) and m.system_id not in systems
    ]
    return Board(tuple(groups), published_sections(), sound.bad, tuple(notes))


def published_sections() -> tuple[PublishedSection, ...]:
    """The published figures, a section a source and revision."""
    scales = {c.id: ScaleFacts.of(c) for c in load_rubric("paper").criteria}
    found: dict[tuple[str, str, str, str], list[BoardRow]] = {}
    for run in (*published_runs(), *reference_runs()):
        row = BoardRow(run.id, run.label, run.model, "published", run.condition, run.measures, False, present.UNRANKED)
        found.setdefault((run.source, run.revision, run.note, run.title), []).append(row)
    sections = []
    for (source, revision, note, title), rows in found.items():
        names = _ordered(n for r in rows for n in r.measures)
        columns = [
            Column(
                n,
                LABELS.get(n, n.replace("_", " ").capitalize()),
                scales[n].bounds if n in scales else (0.0, 1.0),
                n not in LOWER_IS_BETTER,
            )
            for n in names
        ]
        sections.append(PublishedSection(source, revision, note, tuple(columns), tuple(rows), title))
    return tuple(sections)


class _Sound(Store):
    """The readable runs of a store, each file read once: one board is one moment of the store."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.root)
        self.bad = dict(store.damaged())
        self._known: dict[str, Manifest] = {}
        self._values: dict[tuple[str, str, bool], dict[str, dict[str, float]]] = {}
        for run_id in super().run_ids():
            if run_id in self.bad:
                continue
            try:
                self._known[run_id] = super().manifest(run_id)
                # The footer of a file can be sound and its data not.
                self.values(run_id, PANEL_RATER)
            except (StoreError, OSError, duckdb.Error, pa.ArrowInvalid) as ex:
                self._known.pop(run_id, None)
                self.bad[run_id] = str(ex) if isinstance(ex, StoreError) else "its ratings cannot be read"

    def run_ids(self) -> list[str]:
        return sorted(self._known)

    def manifest(self, run_id: str) -> Manifest:
        return self._known[run_id]

    def manifests(self) -> Iterator[Manifest]:
        return iter([self._known[run_id] for run_id in self.run_ids()])

    def values(self, run_id: str, rater: str, epochs_apart: bool = False) -> dict[str, dict[str, float]]:
        key = (run_id, rater, epochs_apart)
        if key not in self._values:
            self._values[key] = super().values(run_id, rater, epochs_apart)
        return self._values[key]


def _group(store: Store, runs: Sequence[Manifest]) -> Group:
    found = {m.run_id: _measures(store, m) for m in runs}
    names = _ordered(name for got in found.values() for name in got)
    lead: dict[str, Measure] = {}
    for name in names:
        having = [got[name] for got in found.values() if name in got]
        counted = Counter(m.key for m in having if m.values) or Counter(m.key for m in having)
        # One column is one key: where runs differ in it (other twins), the more frequent key keeps the column.
        kept = max(counted, key=lambda k: (counted[k], k))
        lead[name] = next(m for m in having if m.key == kept)
    columns = [Column(n, m.label, m.bounds, m.higher_is_better) for n, m in lead.items()]
    counts = Counter(_name(m) for m in runs)
    rows = [_row(m, found[m.run_id], lead, runs, counts[_name(m)] > 1) for m in runs]
    rows.sort(key=lambda r: (not r.ranked, -(r.measures[PAIR_SCORE].value or 0.0) if r.ranked else 0.0, r.label))
    models, references, published = (
        tuple(r for r in rows if r.kind == kind) for kind in ("model", "reference", "published")
    )
    any_run = runs[0]
    key, parts = any_run.comparability(_first(any_run))
    said, title, rules = present.leading_sentence(models, references), _title(any_run), present.rules_only(any_run)
    parallel = tuple(row for m in runs for row in parallel_rows(store, m))
    labels = {r.run_id: r.label for r in rows}
    when = tuple((labels[m.run_id], t) for m in runs if (t := timing(store, m)) is not None)
    beside = _beside(store, runs, labels)
    return Group(key, parts, title, tuple(columns), models, references, published, said, rules, parallel, when, beside)


def _beside(
    store: Store, runs: Sequence[Manifest], labels: Mapping[str, str]
) -> dict[str, tuple[tuple[str, Mapping[str, Measure]], ...]]:
    """The measures beside the scores, by heading, a row a run."""
    found: dict[str, list[tuple[str, Mapping[str, Measure]]]] = {}
    for m in (m for m in runs if m.rubric.criteria):
        extra = extra_measures(store, m)
        for heading in HEADINGS:
            mine = {name: measure for name, measure in extra.items() if measure.group == heading}
            if mine:
                found.setdefault(heading, []).append((labels[m.run_id], mine))
    return {heading: tuple(sorted(rows, key=lambda r: r[0])) for heading, rows in found.items()}


def _measures(store: Store, run: Manifest) -> dict[str, Measure]:
    if not run.rubric.criteria:
        # A run without items has figures only: they are its columns, and not beside them.
        return extra_measures(store, run)
    found = measures(store, run)
    twins = twin_run(store, run) if PAIR_SCORE in found else None
    if twins is not None and present.TWINS not in found:
        # The other half of the pair score, so that a reader sees which half it is that fails.
        other = measures(store, twins)
        found |= {name: other[name] for name in (present.TWINS, SUPPORT_BESIDE) if name in other}
    return found


def _row(
    m: Manifest,
    found: Mapping[str, Measure],
    lead: Mapping[str, Measure],
    runs: Sequence[Manifest],
    ambiguous: bool,
) -> BoardRow:
    estimates: dict[str, Estimate] = {}
    for name, kept in lead.items():
        got = found.get(name)
        if got is None:
            continue
        if got.values and got.key != kept.key:
            what = ", ".join(differing(kept.parts, got.parts))
            estimates[name] = Estimate.undefined(f"not comparable in this group: differs in {what}", 0, got.total)
        else:
            estimates[name] = got.estimate()
    pair = estimates.get(PAIR_SCORE)
    ranked = pair is not None and pair.value is not None
    reason = "" if ranked else (pair.reason if pair is not None and pair.reason else present.UNRANKED)
    model = m.model.name.removeprefix("policy/") if m.kind == "reference" else m.model.name
    label = f"{_name(m)} ({m.run_id.rsplit('_', 1)[-1]})" if ambiguous else _name(m)
    warnings = present.run_warnings(m, estimates, runs)
    warnings += tuple(
        f"{x.label} is {x.figure.reason}" for x in found.values() if x.sampled and x.figure and x.figure.reason
    )
    return BoardRow(m.run_id, label, model, m.kind, m.condition.name, estimates, ranked, reason, warnings)


def _twins_only(m: Manifest) -> bool:
    return bool(m.items) and all(i.answer == "answer" for i in m.items)


def _key(store: Store, m: Manifest) -> str:
    """What a run must share with its group: its first criterion's key, or those of its figures if it has no items."""
    if m.rubric.criteria:
        return m.comparability(_first(m))[0]
    return short_hash(sorted(x.key for x in extra_measures(store, m).values()))


def _first(m: Manifest) -> str:
    return next(iter(m.rubric.criteria), "")


def _name(m: Manifest) -> str:
    return m.label.removeprefix("policy/") if m.kind == "reference" else m.label


def _title(m: Manifest) -> str:
    name = " ".join(filter(None, [m.prompt_set.name or "prompt set not stated", m.prompt_set.version]))
    if not m.rubric.criteria:
        return present.plain(f"{name} · figures of whole benchmarks, no items", 300)
    judges = ", ".join(j.id for j in m.panel.judges) or "not stated"
    panel = f"{m.panel.name} ({judges})" if m.panel.name else judges
    epochs = [f"{m.epochs} epochs"] if m.epochs > 1 else []
    facts = [name, f"{len(m.items)} items", *epochs, f"rubric {m.rubric.name or 'not stated'}", f"panel {panel}"]
    return present.plain(" · ".join(facts), 300)


def _ordered(names: Iterable[str]) -> list[str]:
    seen = list(dict.fromkeys(names))
    return [n for n in ORDER if n in seen] + [n for n in seen if n not in ORDER]
