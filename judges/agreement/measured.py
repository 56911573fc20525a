"""How often our intervals were measured to hold the true value, coefficient by coefficient.

The figures are in `coverage.json` beside this module, which `make study` writes (bench/study, docs/coverage.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from judges.agreement.intervals import Kind

_FILE: Final = Path(__file__).with_name("coverage.json")


@dataclass(frozen=True)
class Measured:
    """The measured coverage of one coefficient's 95 % intervals in the scenarios with 50 items or more.

    Attributes:
        lowest: Share of studies whose interval holds the true value, in the worst scenario.
        highest: The same in the scenario where it is largest.
        met: Whether the criterion is met on both grids: .93 (less the Monte Carlo error) in 90 % of the scenarios and
            .90 in all of them.
        cells: Number of scenarios.
        note: One line to print beside an interval that misses the criterion; empty where it is met.
    """

    lowest: float
    highest: float
    met: bool
    cells: int
    note: str


def measured(coefficient: str, kind: Kind) -> Measured | None:
    """What the coverage study found for a coefficient.

    Args:
        coefficient: Its name in a report, such as `quadratic_kappa`; `alpha (ordinal)`, `panel alpha (nominal)`,
            `clustered alpha (interval)`, `icc (A,1)`, `corrected rate`, `difference of kappa`, `effective votes`.
        kind: Kind of the scale. Two points were studied as `binary`, five as `ordinal`, which also stands for
            `nominal`: the coefficients that a nominal scale allows do not depend on an order.

    Returns:
        The measurement; None for what was not studied.
    """
    found = _read()["coefficients"].get(coefficient, {}).get("2" if kind == "binary" else "5")
    if found is None:
        return None
    low, high = float(found["lowest"]), float(found["highest"])
    note = "" if found["met"] else f"measured coverage {_share(low)} to {_share(high)}, not .95"
    return Measured(low, high, bool(found["met"]), int(found["cells"]), note)


@cache
def _read() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))


def _share(value: float) -> str:
    # Cut, not rounded: .8996 must not read as .90.
    return f"{int(value * 100 + 1e-9) / 100:.2f}".removeprefix("0")
