"""A small rubric with every scale and every rule, as text, and how a test changes a word of it."""

from __future__ import annotations

GOOD = """\
name: sample
version: "1"
criteria:
  - id: alpha
    question: Is it so?
    scale: binary
    anchors:
      0: It is not.
      1: It is.
  - id: beta
    question: How much?
    scale: ordinal
    points: [1, 2, 3]
    anchors:
      1: Little.
      2: Some.
      3: Much.
  - id: gamma
    question: Which?
    scale: nominal
    categories: [none, partial, full]
    best: none
    anchors:
      none: Nothing.
      partial: A part.
      full: All.
  - id: delta
    question: Met?
    scale: nominal
    categories: [none, full]
    best: full
    anchors:
      none: Nothing.
      full: All.
aggregates:
  - id: plain
    rule: mean
    of: [alpha, beta]
  - id: gated
    rule: gate
    gate: alpha
    of: [plain]
  - id: good
    rule: quality
    harm: gamma
    of:
      - {criterion: beta, when: always}
      - {criterion: alpha, when: resource_required}
  - id: twin
    rule: twin_answered
    of: [delta]
"""


def swapped(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)
