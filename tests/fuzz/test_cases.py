"""How many cases there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fuzz.common import CASES


def test_there_are_a_hundred_thousand_cases_and_each_parser_has_some() -> None:
    quick, slow = (sum(n[i] for n in CASES.values()) for i in (0, 1))
    assert slow >= 100_000 and 500 <= quick <= 5_000
    used = [
        m
        for p in Path(__file__).parent.glob("test_*.py")
        for m in re.findall(r'@fuzzed\("(.+)"\)', p.read_text("utf-8"))
    ]
    assert sorted(used) == sorted(CASES)
