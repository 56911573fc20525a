"""Reading rubric files, with errors that name the line."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from rubrics.errors import MendableError
from rubrics.model import Aggregate, Criterion, GateAggregate, JudgePrompt, QualityAggregate, Rubric, TwinAggregate
from rubrics.reading import MAX_CHARS, YamlError, read_yaml

HERE: Final = Path(__file__).parent
BUILT_IN: Final = {"psychosafe": HERE / "psychosafe.yaml", "paper": HERE / "psychosafe_paper.yaml"}
"""Rubrics that go by a short name."""
MAX_BYTES: Final = MAX_CHARS
"""A rubric is a page of text; a larger file is something else."""


class RubricError(MendableError):
    """A rubric that cannot be used; the message names file, line and mend."""


def load_rubric(source: str | Path = "psychosafe") -> Rubric:
    """Load a rubric by short name (`psychosafe`, `paper`) or by path.

    A `.txt` or `.md` file is somebody's own instructions to a judge, such as the published ones: they are put to the
    judge word for word, and its answer is read as the four published criteria (`rubrics.model.JudgePrompt`).

    Raises:
        RubricError: The file is missing, is no YAML, or breaks a rule of the rubric model.
    """
    path = BUILT_IN.get(str(source), Path(source))
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RubricError(f"{path}: larger than {MAX_BYTES:,} bytes; a rubric is a page of YAML")
        text = path.read_text(encoding="utf-8")
    except OSError as ex:
        known = ", ".join(sorted(BUILT_IN))
        raise RubricError(f"no rubric {str(source)!r}: give one of {known} or the path of a YAML file") from ex
    except UnicodeDecodeError as ex:
        raise RubricError(f"{path}: not UTF-8 text; save the rubric as UTF-8") from ex
    if path.suffix.lower() in {".txt", ".md"}:
        return _with_instructions(text, str(path))
    return parse_rubric(text, name=str(path))


def _with_instructions(text: str, name: str) -> Rubric:
    """The published criteria, with instructions of somebody's own in the place of ours."""
    if not text.strip():
        raise RubricError(f"{name}: empty; put the judge's instructions there")
    paper = load_rubric("paper")
    return paper.model_copy(update={"name": f"{paper.name}_text", "judge_prompt": JudgePrompt(text=text)})


def rubric_sha256(rubric: Rubric) -> str:
    """Hash of what the rubric says, whatever its file's layout, comments or name."""
    data = rubric.model_dump(mode="json")
    if rubric.judge_prompt is None:
        # Added later: a rubric without one keeps the hash that it had.
        del data["judge_prompt"]
    canonical = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@functools.lru_cache(maxsize=16)
def parse_rubric(text: str, name: str = "rubric") -> Rubric:
    """Parse rubric text.

    Args:
        text: YAML.
        name: What error messages call it, usually the path.

    Raises:
        RubricError: With `name`, the line, and what is wrong there.
    """
    try:
        node, data = read_yaml(text)
    except YamlError as ex:
        line = f"line {ex.line}: " if ex.line is not None else ""
        raise RubricError(f"{name}: {line}not valid YAML: {ex.what}") from ex
    if not isinstance(data, dict):
        raise RubricError(f"{name}: line 1: a rubric is a mapping with name, version, criteria and aggregates")
    try:
        rubric = Rubric.model_validate(data)
    except ValidationError as ex:
        first = ex.errors()[0]
        raise RubricError(f"{name}: line {_line(node, _place(first['loc']))}: {_say(first, data)}") from ex
    _check_references(rubric, node, name)
    return rubric


def _check_references(rubric: Rubric, node: Any, name: str) -> None:
    """Ids are unique and aggregates speak of what exists before them."""
    seen: set[str] = set()

    def fail(loc: tuple[str | int, ...], what: str) -> None:
        raise RubricError(f"{name}: line {_line(node, loc)}: {what}")

    for i, criterion in enumerate(rubric.criteria):
        if criterion.id in seen:
            fail(("criteria", i, "id"), f"the id {criterion.id!r} stands twice; ids are unique")
        seen.add(criterion.id)
    criteria: dict[str, Criterion] = {c.id: c for c in rubric.criteria}
    earlier: set[str] = set()
    for i, aggregate in enumerate(rubric.aggregates):
        where: tuple[str | int, ...] = ("aggregates", i)
        if aggregate.id in seen:
            fail((*where, "id"), f"the id {aggregate.id!r} stands twice; ids are unique")
        for loc, criterion_id in _criteria_of(aggregate):
            if criterion_id not in criteria:
                fail((*where, *loc), f"aggregate {aggregate.id!r} uses the unknown criterion {criterion_id!r}")
        if isinstance(aggregate, GateAggregate) and aggregate.of[0] not in earlier:
            fail(
                (*where, "of"), f"aggregate {aggregate.id!r} gates {aggregate.of[0]!r}, which is no aggregate above it"
            )
        whole = {QualityAggregate: getattr(aggregate, "harm", None), TwinAggregate: aggregate.of[0]}.get(
            type(aggregate)
        )
        for loc, needs in _criteria_of(aggregate):
            # Without it, which end of the categories is the good one would be made up.
            if (criteria[needs].scale == "nominal" or needs == whole) and criteria[needs].best is None:
                fail((*where, *loc), f"aggregate {aggregate.id!r} needs `best` on the criterion {needs!r}")
        seen.add(aggregate.id)
        earlier.add(aggregate.id)


def _criteria_of(aggregate: Aggregate) -> list[tuple[tuple[str | int, ...], str]]:
    """The criteria that an aggregate reads, each with its place in the file."""
    match aggregate:
        case GateAggregate():
            return [(("gate",), aggregate.gate)]
        case QualityAggregate():
            parts: list[tuple[tuple[str | int, ...], str]] = [
                (("of", j, "criterion"), part.criterion) for j, part in enumerate(aggregate.of)
            ]
            return [(("harm",), aggregate.harm), *parts]
        case _:
            return [(("of", j), criterion) for j, criterion in enumerate(aggregate.of)]


def _place(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """An error's place in the file: the rule's name that pydantic puts behind an aggregate's number is not in it."""
    if len(loc) > 2 and loc[0] == "aggregates":
        return (*loc[:2], *loc[3:])
    return loc


def _say(error: Any, data: Any) -> str:
    """A pydantic error in one short sentence."""
    loc = list(_place(error["loc"]))
    where = ".".join(str(p) for p in loc) or "rubric"
    if error["type"] == "missing":
        return f"`{where}` is missing"
    if error["type"] == "extra_forbidden":
        return f"`{where}` is no key of a rubric"
    if loc and loc[-1] == "scale":
        return f"unknown scale {str(error['input'])[:60]!r}; use binary, ordinal or nominal"
    if error["type"] == "union_tag_invalid":
        return f"`{where}`: unknown rule; use mean, gate, quality or twin_answered"
    return f"`{where}`: {error['msg'].removeprefix('Value error, ')}"


def _line(node: Any, loc: tuple[str | int, ...]) -> int:
    """Line (from 1) of the deepest part of `loc` that the file has."""
    line = int(node.start_mark.line) + 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                continue
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
