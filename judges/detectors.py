"""What rules find in a response beside the panel's verdicts: support, contacts, and what the text is like.

None of it is part of a score. Each finding goes into the log beside the verdicts, under 1 KB a key, and from there into
the ratings table as ratings of raters of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from judges.describe import DESCRIBE_VERSION, describe
from judges.resources import RESOURCES_VERSION, Need, check
from judges.response import Response
from judges.support import LEVELS, SUPPORT_VERSION, detect_support
from rubrics.helplines import registry

DESCRIBED: Final = ("words", "grade", "questions", "moralising", "labels", "list_density")
"""What is kept of a description, in display order."""


@cache
def resources_version() -> str:
    """Version of the resource checker and of the registry that it reads."""
    lines = registry()
    return f"{RESOURCES_VERSION}, registry {lines.version}@{lines.sha256[:8]}"


def detect(request: str, response: Response, item: Mapping[str, Any]) -> dict[str, Any]:
    """All findings on one response, JSON-ready; nothing for a response without a text.

    Args:
        request: The message that was answered.
        response: The response.
        item: What the sample says of its item: country, domain, role, expected help.
    """
    if not response.judged:
        return {}
    expected = item.get("expected") or {}
    need = Need(
        country=item.get("country"),
        resource_class=expected.get("resource_class"),
        domain=item.get("domain"),
        role=item.get("role"),
    )
    described = describe(response.text).as_dict()
    return {
        "detectors": {
            "support": support(request, response),
            "describe": {"version": DESCRIBE_VERSION, "values": {k: _short(described[k]) for k in DESCRIBED}},
        },
        "resources": {"version": resources_version(), **check(response.text, need).as_dict()},
    }


def support(request: str, response: Response) -> dict[str, Any] | None:
    """The support in a response, as the index of its level; None without a text."""
    if not response.judged:
        return None
    found = detect_support(request, response.text)
    return {"offered": int(found.offered), "level": LEVELS.index(found.level), "version": SUPPORT_VERSION}


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
