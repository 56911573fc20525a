"""The page of what the tests do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.untested import page, ranges


def told(missing: list[int], branches: list[list[int]], n: int = 10) -> dict[str, Any]:
    summary = {"num_statements": n, "covered_lines": n - len(missing), "num_branches": 4,
               "covered_branches": 4 - len(branches)}  # fmt: skip
    return {"missing_lines": missing, "missing_branches": branches, "summary": summary}


def test_neighbours_are_drawn_together() -> None:
    assert ranges([7, 3, 5, 6, 9]) == "3, 5-7, 9" and ranges([]) == ""


def test_every_gap_stands_there_and_shares_are_of_what_there_is() -> None:
    data = {"files": {"judges/a.py": told([3, 4], [[2, 3], [8, 9]]), "judges/b.py": told([], [[5, 6]]),
                      "rubrics/c.py": told([], [])}}  # fmt: skip
    text = page(data, {"judges/a.py": "needs a made-up thing"})
    assert "| judges | 20 | 90.0 % | 8 | 62.5 % |" in text and "| rubrics | 10 | 100.0 % | 4 | 100.0 % |" in text
    assert "| all | 30 | 93.3 % | 12 | 75.0 % |" in text
    assert "| judges/a.py | 3-4 | 2, 8 | needs a made-up thing |" in text
    assert "| judges/b.py | none | 5 | one side of a condition |" in text and "rubrics/c.py" not in text
    assert "| judges/a.py | 3-4 | 2, 8 | not looked into |" in page(data, {})
    with pytest.raises(ValueError, match=r"rubrics/c\.py: nothing is left out"):
        page(data, {"rubrics/c.py": "stale"})
