"""The table of faults: every cell is there, every test that it names exists, and the page says what the table says."""

from __future__ import annotations

import itertools
from collections import Counter

from scripts.reliability import OUT, page, slow
from tests.reliability.matrix import CELLS, FAULTS, ROWS


def test_every_cell_is_there_once() -> None:
    assert len(ROWS) * len(FAULTS) == 56
    assert Counter((c.row, c.fault) for c in CELLS) == Counter(itertools.product(ROWS, FAULTS))
    for cell in CELLS:
        said = (cell.happens, cell.lost, cell.resume, cell.shown_by)
        assert all(said) != bool(cell.not_applicable) and any(said) != bool(cell.not_applicable), cell


def test_every_test_exists_and_each_row_has_one_that_is_quick() -> None:
    # `slow` raises where there is no such test.
    quick = {c.row for c in CELLS for node in c.shown_by if not slow(node)}
    assert quick == set(ROWS)


def test_the_page_is_made_from_the_table() -> None:
    assert OUT.read_text(encoding="utf-8") == page(), "run `python -m scripts.reliability`"
