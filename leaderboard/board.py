"""What the board shows, as plain data: groups of comparable runs, with every figure as an estimate.

No page code here: the Streamlit app, the static file and the tests read the same `Board`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from judges.stats import Estimate
from leaderboard import present
from leaderboard.facts import facts
from leaderboard.model import Board, BoardRow, Column, Group, PublishedSection
from leaderboard.naming import group_title
from results.choice import Choice
from results.companions import ELSEWHERE, companions
from results.dialogues import timing
from results.extras import HEADINGS, extra_measures
from results.grid import Grid, grids, twins_only
from results.manifest import Manifest, ScaleFacts, short_hash
from results.measure import LABELS, LOWER_IS_BETTER, PAIR_SCORE
from results.parallel import parallel_rows
from results.published import published_runs, reference_runs
from results.rescored import rescored
from results.store import Store
from rubrics.loader import load_rubric

ORDER: Final = (PAIR_SCORE, "quality", present.TWINS, "paper", "gated_published")
"""Display order of the scores; criteria follow in the rubric's order."""


def load_board(store: Store) -> Board:
    """The board of a store.

    Runs on benign twins only are no rows: they feed the pair score of their system. Damaged runs are named and left
    out, also as twins.

    Raises:
        OSError: The store's folder cannot be read.
    """
    return board_of(store, *grids(store))


def board_of(store: Store, found: Sequence[Grid], damaged: Mapping[str, str], choice: Choice | None = None) -> Board:
    """The board of a store whose grids are at hand.

    Args:
        store: The store.
        found: Its grids.
        damaged: Runs that cannot be read, with the reason.
        choice: Weights, judges and domains that a reader chose; the default ones if not given. What a system does on
            other sets, and figures of whole benchmarks, stay as they are.
    """
    chosen = choice or Choice()
    made = [rescored(store, g, chosen) for g in found]
    every = [m for m in store.manifests() if m.run_id not in damaged]
    figures: dict[str, list[Manifest]] = {}
    for m in every:
        if not m.rubric.criteria:
            figures.setdefault(_figures_key(store, m), []).append(m)
    groups = [
        replace(_group(store, r.grid, found), custom=r.custom, refused=r.refused) for r in made if r.grid is not None
    ]
    groups += [_figures_group(store, runs) for runs in figures.values()]
    groups.sort(key=lambda g: (-sum(r.ranked for r in g.rows), g.title, g.key))
    systems = {m.system_id for m in every if not twins_only(m)}
    notes = [
        f"{present.plain(m.label)}: only its run on benign twins is in the store ({m.run_id}); it has no row"
        for m in every
        if twins_only(m) and m.system_id not in systems
    ]
    notes += [
        f"{present.plain(group_title(g.runs[0]), 200)}: left out by your choice, {'; '.join(r.custom)}"
        for g, r in zip(found, made, strict=True)
        if r.grid is None
    ]
    return Board(tuple(groups), published_sections(), damaged, tuple(notes))


@cache
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


def _group(store: Store, found: Grid, every: Sequence[Grid]) -> Group:
    """Runs of one grid as rows, a measure a column."""
    names = _ordered(c.name for c in found.columns if c.group == "score")
    columns = [Column(n, c.label, c.bounds, c.higher_is_better) for n in names for c in (found.column(n),)]
    by_measure = {n: found.estimates(n) for n in names}
    having = {n: _having(found, n) for n in names}
    estimates = {
        m.run_id: {n: by_measure[n][at] for n in names if m.run_id in having[n]} for at, m in enumerate(found.runs)
    }
    others = companions(every, found.runs)
    columns += [
        Column(f"elsewhere/{name}", ELSEWHERE[name], c.column.bounds, c.column.higher_is_better)
        for name, told in others.items()
        for c in list(told.values())[:1]
    ]
    said: dict[str, tuple[str, ...]] = {}
    for name, told in others.items():
        for run_id, c in told.items():
            estimates[run_id][f"elsewhere/{name}"] = c.estimate
            if c.settings_differ:
                said[run_id] = (*said.get(run_id, ()), f"{ELSEWHERE[name]} was run with other generation settings")
    return _grouped(store, found.runs, columns, estimates, said, found)


def _having(found: Grid, name: str) -> set[str]:
    """Runs that have a measure, if only undefined: another set of items, or no detector, is no column for a run."""
    if name in found.figures:
        return {*found.figures[name], *found.reasons.get(name, ())}
    due = found.due(name)
    return {m.run_id for at, m in enumerate(found.runs) if due[at].any()} | set(found.reasons.get(name, ()))


def _figures_group(store: Store, runs: Sequence[Manifest]) -> Group:
    """Runs without items: they have figures of whole benchmarks only, which are their columns."""
    found = {m.run_id: extra_measures(store, m) for m in runs}
    lead = {name: m for got in found.values() for name, m in got.items()}
    columns = [Column(n, lead[n].label, lead[n].bounds, lead[n].higher_is_better) for n in _ordered(lead)]
    estimates = {r: {c.name: got[c.name].estimate() for c in columns if c.name in got} for r, got in found.items()}
    said = {
        r: tuple(f"{x.label} is {x.figure.reason}" for x in got.values() if x.sampled and x.figure and x.figure.reason)
        for r, got in found.items()
    }
    return _grouped(store, runs, columns, estimates, said, None)


def _grouped(
    store: Store,
    runs: Sequence[Manifest],
    columns: Sequence[Column],
    estimates: Mapping[str, Mapping[str, Estimate]],
    said: Mapping[str, tuple[str, ...]],
    found: Grid | None,
) -> Group:
    counts = Counter(_name(m) for m in runs)
    # One run of each generation config tells all differences.
    settings = list({repr(sorted(m.model.generation.items())): m for m in runs}.values())
    cells = facts(store, found) if found else {}
    rows = [
        _row(m, estimates[m.run_id], settings, counts[_name(m)] > 1, said.get(m.run_id, ()), cells.get(m.run_id, {}))
        for m in runs
    ]
    rows.sort(key=lambda r: (not r.ranked, -(r.measures[PAIR_SCORE].value or 0.0) if r.ranked else 0.0, r.label))
    models, references, published = (
        tuple(r for r in rows if r.kind == kind) for kind in ("model", "reference", "published")
    )
    any_run = runs[0]
    key, parts = any_run.comparability(_first(any_run))
    sentence, title = present.leading_sentence(models, references), group_title(any_run)
    # Who has no private form anywhere needs no search for each run.
    private = any(m.prompt_set.parallel_of for m in store.manifests())
    parallel = tuple(row for m in runs for row in parallel_rows(store, m)) if private else ()
    labels = {r.run_id: r.label for r in rows}
    # Runs of one set share their items: each is gone through once.
    sets = {id(m.items): m.items for m in runs}
    dialogues = {key for key, items in sets.items() if any(i.risk_turn for i in items)}
    spoken = [m for m in runs if id(m.items) in dialogues]
    when = tuple((labels[m.run_id], t) for m in spoken if (t := timing(store, m)) is not None)
    beside = _beside(found, labels) if found else {}
    return Group(key, parts, title, tuple(columns), models, references, published, sentence,
                 present.rules_only(any_run), parallel, when, beside)  # fmt: skip


def _beside(
    found: Grid, labels: Mapping[str, str]
) -> dict[str, tuple[tuple[str, Mapping[str, tuple[str, Estimate]]], ...]]:
    """The measures beside the scores, by heading, a row a run."""
    made: dict[str, tuple[tuple[str, Mapping[str, tuple[str, Estimate]]], ...]] = {}
    for heading in HEADINGS:
        rows: dict[str, dict[str, tuple[str, Estimate]]] = {}
        for c in (c for c in found.columns if c.group == heading):
            having = _having(found, c.name)
            for m, e in zip(found.runs, found.estimates(c.name), strict=True):
                if m.run_id in having:
                    rows.setdefault(labels[m.run_id], {})[c.name] = c.label, e
        if rows:
            made[heading] = tuple(sorted(rows.items()))
    return made


def _row(
    m: Manifest,
    estimates: Mapping[str, Estimate],
    runs: Sequence[Manifest],
    ambiguous: bool,
    said: tuple[str, ...],
    cells: Mapping[str, str],
) -> BoardRow:
    pair = estimates.get(PAIR_SCORE)
    ranked = pair is not None and pair.value is not None
    reason = "" if ranked else (pair.reason if pair is not None and pair.reason else present.UNRANKED)
    model = m.model.name.removeprefix("policy/") if m.kind == "reference" else m.model.name
    label = f"{_name(m)} ({m.run_id.rsplit('_', 1)[-1]})" if ambiguous else _name(m)
    warnings = present.run_warnings(m, estimates, runs) + said
    return BoardRow(m.run_id, label, model, m.kind, m.condition.name, estimates, ranked, reason, warnings, cells)


def _figures_key(store: Store, m: Manifest) -> str:
    """What runs without items must share: the keys of their figures."""
    return short_hash(sorted(x.key for x in extra_measures(store, m).values()))


def _first(m: Manifest) -> str:
    return next(iter(m.rubric.criteria), "")


def _name(m: Manifest) -> str:
    return m.label.removeprefix("policy/") if m.kind == "reference" else m.label


def _ordered(names: Iterable[str]) -> list[str]:
    seen = list(dict.fromkeys(names))
    return [n for n in ORDER if n in seen] + [n for n in seen if n not in ORDER]
