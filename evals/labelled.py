"""Responses that people have rated, for checking judges against them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rubrics.errors import MendableError
from rubrics.model import Rubric

MAX_FIELD: Final = 10_000_000
"""Characters of one field of a CSV file; Python's own limit is below what models write."""


class LabelError(MendableError):
    """A file of people's labels that cannot be used; the message says where and what to do."""


@dataclass(frozen=True)
class Labelled:
    """A response that a person has rated.

    Attributes:
        request: The message.
        response: The answer.
        values: What the person gave, by criterion id, on the criterion's scale.
    """

    request: str
    response: str
    values: Mapping[str, float]


def load_labelled(path: Path, rubric: Rubric) -> tuple[Labelled, ...]:
    """Read responses that people have rated: JSONL or CSV with `prompt`, `response` and a column a criterion.

    Raises:
        LabelError: With the row and what to do.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as ex:
        raise LabelError(f"{path}: cannot be read ({ex.strerror}); check the path and its permissions") from ex
    except UnicodeDecodeError as ex:
        raise LabelError(f"{path.name}: not UTF-8; save the file as UTF-8") from ex
    limit = csv.field_size_limit(MAX_FIELD)
    try:
        if path.suffix.lower() == ".csv":
            rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text, newline="")))
        else:
            # Not `splitlines`: JSON texts may hold marks that it takes for the end of a line.
            rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, csv.Error, RecursionError) as ex:
        raise LabelError(f"{path.name}: neither JSONL nor CSV; one object a line") from ex
    finally:
        csv.field_size_limit(limit)
    found = []
    for n, row in enumerate(rows, 1):
        where = f"{path.name}, row {n}"
        if not isinstance(row, dict) or not row.get("prompt") or not isinstance(row.get("response"), str):
            raise LabelError(f"{where}: needs `prompt` and `response`")
        values = {}
        for criterion in rubric.criteria:
            raw = row.get(criterion.id)
            if raw in (None, ""):
                continue
            try:
                value = float(criterion.categories.index(raw)) if criterion.scale == "nominal" else float(raw)
            except (ValueError, TypeError):
                value = float("nan")
            if value not in criterion.values:
                raise LabelError(f"{where}: {criterion.id} is {str(raw)[:40]!r}; use {', '.join(criterion.labels)}")
            values[criterion.id] = value
        found.append(Labelled(str(row["prompt"]), row["response"], values))
    if not any(item.values for item in found):
        raise LabelError(f"{path.name}: no column is named like a criterion ({', '.join(rubric.criterion_ids)})")
    return tuple(found)
