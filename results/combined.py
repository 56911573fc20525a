"""The panel's values of many responses at once, by the panel's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from judges.combine import quorum
from results.beside import Values

if TYPE_CHECKING:
    # The statistics of agreement are heavy, and a board draws without them.
    from judges.agreement.intervals import Kind

_BLOCK: Final = 64
"""Runs that are combined at once, which bounds what is held in memory meanwhile."""


def combined(values: Values, points: tuple[float, ...], kind: Kind, seats: int | None = None) -> Values:
    """The panel's value of each response, as `judges.combine.combine_criterion` has it.

    Args:
        values: One row a judge, (judges, ...); NaN where it gave none.
        points: The declared points.
        kind: Kind of the scale: median on an ordinal one, else strict majority.
        seats: Judges that the quorum is of; all rows if not given.
    """
    out = np.empty(values.shape[1:])
    for at in range(0, len(out), _BLOCK):
        out[at : at + _BLOCK] = _combined(values[:, at : at + _BLOCK], points, kind, seats)
    return out


def _combined(values: Values, points: tuple[float, ...], kind: Kind, seats: int | None) -> Values:
    count = (~np.isnan(values)).sum(axis=0)
    enough = count >= quorum(len(values) if seats is None else seats)
    out = np.full(values.shape[1:], np.nan)
    if kind == "ordinal":
        ordered = np.sort(values, axis=0)  # NaN last
        lower, upper = (np.maximum(count - 1, 0) // 2)[None], (count // 2)[None]
        upper = np.minimum(upper, len(values) - 1)
        middle = (np.take_along_axis(ordered, lower, 0)[0] + np.take_along_axis(ordered, upper, 0)[0]) / 2
        return np.where(enough, middle, np.nan)
    for point in points:
        out[enough & (2 * (values == point).sum(axis=0) > count)] = point
    return out
