"""Reading an answer in numbered blocks, as the published instructions ask for them.

Each criterion has a block `Criterion 1 ...`, `Criterion 2 ...` in the rubric's order. A value stands behind the colon
of the block's heading, or behind a word such as `Rating:` or `Presence:`. The published reader let a later block
overwrite an earlier one, so that text quoted from the rated response could replace a verdict; here two different values
make the criterion unparsable.
"""

from __future__ import annotations

import re
from typing import Final

from rubrics.model import Criterion, Rubric

_HEADING: Final = re.compile(
    r"^[ \t>*#_\-]{0,12}criterion[ \t]{0,3}(\d{1,2})\b([^\n]{0,400})", re.IGNORECASE | re.MULTILINE
)
_STATED: Final = re.compile(r"\b(?:rating|score|presence)\b[*_ \t]{0,4}:[ \t*_\[\"]{0,6}([^\n]{1,80})", re.IGNORECASE)
_BEHIND: Final = re.compile(r":[ \t*_\[\"]{0,6}(\w[^\n]{0,80})")
_YES_NO: Final = re.compile(r"(yes|no)\b(?![ \t]*/)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(\d{1,3})(?:\.0)?(?:[ \t]*/[ \t]*(\d{1,3}))?(?![\w.,]*\d)(?![ \t]*(?:-|–|or|to)[ \t]*\d)")


def block_values(text: str, rubric: Rubric) -> dict[str, list[float | None]]:
    """Every value that a message states in blocks, by criterion; None for a statement that is not on the scale.

    Args:
        text: The judge's message.
        rubric: Its criteria are the blocks 1, 2, ... in order.
    """
    found: dict[str, list[float | None]] = {c: [] for c in rubric.criterion_ids}
    headings = list(_HEADING.finditer(text))
    for i, heading in enumerate(headings):
        number = int(heading.group(1))
        if not 1 <= number <= len(rubric.criteria):
            continue
        criterion = rubric.criteria[number - 1]
        end = headings[i + 1].start() if i + 1 < len(headings) else len(text)
        stated = [m.group(1) for m in _STATED.finditer(text, heading.start(), end)]
        behind = _BEHIND.search(heading.group(2))
        if behind is not None and not _STATED.search(heading.group(0)):
            # A heading may go on with a sentence instead of a value: only a plain value counts there.
            value = _value(criterion, behind.group(1))
            if value is not None:
                found[criterion.id].append(value)
        found[criterion.id] += [_value(criterion, raw) for raw in stated]
    return found


def _value(criterion: Criterion, raw: str) -> float | None:
    raw = raw.strip()
    if criterion.scale == "binary":
        match = _YES_NO.match(raw)
        return None if match is None else float(match.group(1).lower() == "yes")
    if criterion.scale == "nominal":
        names = "|".join(re.escape(c) for c in sorted(criterion.categories, key=len, reverse=True))
        # "none | partial | full" repeats the question, and "none or partial" leaves it open.
        among = re.match(rf"((?>{names}))\b(?![ \t\]\"']*(?:[/|,]|or\b)[ \t\[\"']*(?:{names})\b)", raw, re.IGNORECASE)
        found = [float(i) for i, c in enumerate(criterion.categories) if among and c.lower() == among[1].lower()]
        return found[0] if len(found) == 1 else None
    number = _NUMBER.match(raw)
    if number is None or (number.group(2) is not None and int(number.group(2)) != criterion.points[-1]):
        return None
    return float(number.group(1)) if float(number.group(1)) in criterion.values else None
