"""Reading a judge's own message into values, and refusing what is ambiguous.

Two forms are read: a JSON object (the form asked for), and lines such as `grounding: 4`. Every statement found
for a criterion counts; two different values make that criterion unparsable, so that text quoted from the rated
response can spoil a verdict but never replace it. So that no statement of the judge goes unseen beside a quoted one,
keys that stand outside of every object count too, and so does what a message states beyond the part that is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from judges.llm.blocks import block_values
from rubrics.model import Criterion, Rubric

MAX_MESSAGE: Final = 100_000
"""Characters of a judge's message that are read; a verdict needs a few hundred."""

_MAX_STATEMENT: Final = 400
"""Characters of one statement behind the name of its criterion."""

_REFUSAL: Final = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|not able|unable)|i (?:can(?:no|')t|can not|won't|will not|must decline|decline)|"
    r"(?:cannot|can't|unable to) (?:assist|help|comply|rate|evaluate|engage|provide))\b",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(r"\{\s*[\"'“‘]")
"""A brace that opens an object of any notation; a brace in prose opens none."""
_STATED: Final = re.compile(
    # A point, then nothing, or a reason set off by a mark that cannot continue a number or a range.
    r"([\w./]{1,20}?)(?:\.0)?[*_`\"']{0,3}(?:[.,;]?\s*$|\s*[(\[].*|\s+[-–—]+\s+(?![\d\s]).*|[.,;:]\s+(?![\d\s]).*"
    r"|\s+(?:because|since|as)\b.*)"
)
_BINARY_WORDS: Final = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Parsed:
    """What a judge's message says.

    Attributes:
        values: The criteria with exactly one valid value.
        problems: The other criteria, each with what is wrong.
        reasons: Justifications by criterion id.
        declined: Whether the message reads as a refusal to judge; only meant where there are no values.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    declined: bool = False


def parse_verdict(message: str, rubric: Rubric) -> Parsed:
    """Read a judge's final message.

    Args:
        message: The text of the message itself, its reasoning channel not included.
        rubric: The rubric that it answers.
    """
    text = message[:MAX_MESSAGE].replace("’", "'")
    if rubric.judge_prompt is not None:
        return _from_blocks(message, text, rubric)
    found: dict[str, list[Any]] = {c.id: [] for c in rubric.criteria}
    reasons: dict[str, str] = {}
    objects, outside, broken = _json_objects(text)
    if broken:
        # Whatever else is in the message may stand inside the broken object, quoted from the rated response.
        return Parsed(problems=dict.fromkeys(rubric.criterion_ids, "a broken JSON object"))
    for obj in objects:
        for criterion in rubric.criteria:
            if criterion.id in obj:
                found[criterion.id].append(obj[criterion.id])
            why = obj.get(f"{criterion.id}_why")
            if isinstance(why, str):
                reasons.setdefault(criterion.id, why)
    # Lines are read beside JSON, not instead of it: whichever of the two was quoted must not win alone.
    for criterion in rubric.criteria:
        found[criterion.id].extend(_line_values(text, criterion))
        found[criterion.id].extend(_stray_values(outside, criterion))
    # What lies across the limit belongs to the part that is not read.
    unread = message[MAX_MESSAGE - _MAX_STATEMENT :] if len(message) > MAX_MESSAGE else ""
    values: dict[str, float] = {}
    problems: dict[str, str] = {}
    for criterion in rubric.criteria:
        read = [_value(criterion, raw) for raw in found[criterion.id]]
        distinct = {v for v in read if v is not None}
        if not read:
            problems[criterion.id] = "no value"
        elif None in read:
            problems[criterion.id] = "a value that is not on the scale"
        elif len(distinct) > 1:
            problems[criterion.id] = "two different values"
        elif unread and _patterns(criterion.id).name.search(unread):
            problems[criterion.id] = f"named beyond the {MAX_MESSAGE} characters that are read"
        else:
            values[criterion.id] = distinct.pop()
    return Parsed(values, problems, reasons, declined=not values and bool(_REFUSAL.search(text[:2000])))


def _from_blocks(message: str, text: str, rubric: Rubric) -> Parsed:
    """The same, of an answer to somebody's own instructions."""
    values: dict[str, float] = {}
    problems: dict[str, str] = {}
    for criterion, read in block_values(text, rubric).items():
        distinct = {v for v in read if v is not None}
        if len(message) > MAX_MESSAGE:
            problems[criterion] = f"longer than the {MAX_MESSAGE} characters that are read"
        elif None in read:
            problems[criterion] = "a value that is not on the scale"
        elif not read:
            problems[criterion] = "no value"
        elif len(distinct) > 1:
            problems[criterion] = "two different values"
        else:
            values[criterion] = distinct.pop()
    return Parsed(values, problems, {}, declined=not values and bool(_REFUSAL.search(text[:2000])))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    obj: dict[str, Any] = {}
    for key, value in pairs:
        # A repeated key with another value must not silently win: an impossible value makes it unparsable.
        obj[key] = value if key not in obj or obj[key] == value else _AMBIGUOUS
    return obj


_AMBIGUOUS: Final = object()


def _json_objects(text: str) -> tuple[list[dict[str, Any]], str, bool]:
    """Every top-level JSON object in the text, in order; the text around them; and whether one of them is broken.

    Reading stops at a broken object: what follows it cannot be told from what stands in it.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_pairs)
    objects: list[dict[str, Any]] = []
    around: list[str] = []
    end = 0
    opening = _OPENING.search(text)
    while opening is not None:
        around.append(text[end : opening.start()])
        try:
            obj, end = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            return objects, "", True
        # Some judges wrap their answer once: {"ratings": {...}}.
        objects += [obj, *(v for v in obj.values() if isinstance(v, dict))]
        opening = _OPENING.search(text, end)
    return objects, "\n".join([*around, text[end:]]), False


class _Patterns(NamedTuple):
    """How the name of a criterion may be written, and what a statement on it looks like."""

    name: re.Pattern[str]
    stray: re.Pattern[str]
    line: re.Pattern[str]


@lru_cache(maxsize=256)
def _patterns(criterion_id: str) -> _Patterns:
    name = re.escape(criterion_id).replace("_", "[_ -]?")
    return _Patterns(
        re.compile(name, re.IGNORECASE),
        re.compile(rf"[\"']{name}[\"']\s{{0,9}}:\s{{0,9}}([^\s,}}\]][^\n,}}\]]{{0,{_MAX_STATEMENT}}})", re.IGNORECASE),
        re.compile(
            rf"[ \t>*#\-\d.)]{{0,12}}[*_`\"']{{0,3}}{name}[*_`\"']{{0,3}}[ \t]{{0,4}}"
            rf"[:=][ \t*_`\"']{{0,6}}([^\n]{{1,{_MAX_STATEMENT}}})",
            re.IGNORECASE,
        ),
    )


def _stray_values(outside: str, criterion: Criterion) -> list[str]:
    """Values behind a quoted key outside of every object.

    A judge that quotes without escaping has its own object closed by the quotation: what it states behind that is no
    JSON any more, and must still speak against the values that the quotation left in the object.
    """
    return [hit.group(1).strip(" \t\"'") for hit in _patterns(criterion.id).stray.finditer(outside)]


def _line_values(text: str, criterion: Criterion) -> list[str]:
    """Values stated on lines of the form `name: value`, list marks and emphasis allowed.

    What stands behind the name is a point alone or a point with a reason set off from it; anything else, such as a
    range or a sentence, is handed on whole, so that it is seen not to be on the scale.
    """
    found = []
    pattern = _patterns(criterion.id).line
    for line in filter(None, map(pattern.match, text.split("\n"))):
        rest = line.group(1).rstrip()
        stated = _STATED.fullmatch(rest)
        found.append(stated.group(1) if stated else rest)
    return found


def _value(criterion: Criterion, raw: Any) -> float | None:
    """A raw value on the criterion's scale, or None if it is none."""
    if isinstance(raw, bool):
        return float(raw) if criterion.scale == "binary" else None
    if isinstance(raw, int | float):
        # Compared before it is converted: an integer of any length may stand here.
        return float(raw) if criterion.scale != "nominal" and raw in criterion.values else None
    if not isinstance(raw, str):
        return None
    text = raw.strip().lower()
    if criterion.scale == "nominal":
        names = [c.lower() for c in criterion.categories]
        return float(names.index(text)) if text in names else None
    if criterion.scale == "binary" and text in _BINARY_WORDS:
        return _BINARY_WORDS[text]
    # "4/5" states the scale along with the point; anything else behind a number is not understood.
    top = f"/{criterion.labels[-1]}"
    text = text.removesuffix(top) if criterion.scale == "ordinal" else text
    return float(text) if text in criterion.labels else None
