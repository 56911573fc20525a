"""Names of runs that tell them apart, as short as that allows. Untrusted text, all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

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
