"""Names of runs that tell them apart, as short as that allows, and titles of groups. Untrusted text, all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from leaderboard.present import plain
from results.grid import Grid
from results.manifest import Manifest


def run_names(runs: Sequence[Manifest]) -> dict[str, str]:
    """Model and condition of each run; where two are alike also the prompt set, and then the end of the id.

    Args:
        runs: The runs that are shown together.

    Returns:
        A name by run id, no two alike.
    """
    names = {m.run_id: m.label for m in runs}
    more: tuple[Callable[[Manifest], str], ...] = (
        lambda m: f"{m.label} · {m.prompt_set.name or m.task}",
        lambda m: f"{m.label} · {m.prompt_set.name or m.task} ({m.run_id.rsplit('_', 1)[-1]})",
        lambda m: f"{m.label} ({m.run_id})",
    )
    for longer in more:
        count = Counter(names.values())
        names = {m.run_id: names[m.run_id] if count[names[m.run_id]] == 1 else longer(m) for m in runs}
    return names


def group_title(m: Manifest) -> str:
    """Prompt set, items, rubric and panel that a run shares with its group."""
    name = " ".join(filter(None, [m.prompt_set.name or "prompt set not stated", m.prompt_set.version]))
    if not m.rubric.criteria:
        return plain(f"{name} · figures of whole benchmarks, no items", 300)
    judges = ", ".join(j.id for j in m.panel.judges) or "not stated"
    panel = f"{m.panel.name} ({judges})" if m.panel.name else judges
    epochs = [f"{m.epochs} epochs"] if m.epochs > 1 else []
    facts = [name, f"{len(m.items)} items", *epochs, f"rubric {m.rubric.name or 'not stated'}", f"panel {panel}"]
    return plain(" · ".join(facts), 300)


def title_of(grid: Grid) -> str:
    """Task, prompt set, items, rubric and panel of a group, and how many runs it has."""
    m, many = grid.runs[0], len(grid.runs)
    return plain(f"{m.task}: {group_title(m)} · {many} run{'s' * (many != 1)}", 300)
