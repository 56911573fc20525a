"""The criteria of a card as a small page of their own, which takes the keys where they are pressed.

Buttons of Streamlit would do for slow fingers only: each press is a round trip, two presses within one are merged, and
a late one is taken for what the server shows by then. Here a key counts for what is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from rubrics.model import Criterion

KEY: Final = "panel"
_HERE: Final = Path(__file__).parent

_mount: Final = st.components.v2.component(
    "psychosafe_panel",
    html='<div class="panel"></div>',
    css=(_HERE / "panel.css").read_text(encoding="utf-8"),
    js=(_HERE / "panel.js").read_text(encoding="utf-8"),
)


def panel(
    nonce: str,
    criteria: Sequence[Criterion],
    values: Mapping[str, float],
    *,
    shown: bool,
    min_seconds: float,
    on_keys: Callable[[str, list[list[int]]], None],
    notes: Mapping[str, str] | None = None,
) -> None:
    """Draw the criteria, one of them active, and take keys.

    Args:
        nonce: The card that keys are meant for.
        criteria: What is asked, in order.
        values: What has been given so far, by criterion id.
        shown: The text is on the screen; else no value is taken.
        min_seconds: So long after that, no value is taken.
        on_keys: Called with a nonce and all keys since that card was laid.
        notes: A few words beside a criterion's name, by its id.
    """

    def changed() -> None:
        sent = getattr(st.session_state[KEY], "keys_pressed", None)
        if isinstance(sent, Mapping) and isinstance(sent.get("entries"), list):
            on_keys(str(sent.get("nonce")), [list(e) for e in sent["entries"] if isinstance(e, list | tuple)])

    _mount(
        key=KEY, data=_data(nonce, criteria, values, shown, min_seconds, notes or {}), on_keys_pressed_change=changed
    )


def _data(
    nonce: str,
    criteria: Sequence[Criterion],
    values: Mapping[str, float],
    shown: bool,
    min_seconds: float,
    notes: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "nonce": nonce,
        "open": shown,
        "min_seconds": min_seconds,
        "values": {c.id: c.values.index(values[c.id]) for c in criteria if c.id in values},
        "criteria": [
            {
                "id": c.id,
                "name": name_of(c),
                "question": c.question,
                "note": notes.get(c.id, ""),
                "options": [
                    {"label": label_of(c, v), "anchor": c.anchors[name]}
                    for v, name in zip(c.values, c.labels, strict=True)
                ],
            }
            for c in criteria
        ],
    }


def name_of(criterion: Criterion) -> str:
    """A criterion's id in readable form."""
    return criterion.id.replace("_", " ").capitalize()


def label_of(criterion: Criterion, value: float) -> str:
    """A scale point as an annotator reads it."""
    if criterion.scale == "binary":
        return "Yes" if value else "No"
    text = criterion.label_of(value)
    return text.capitalize() if criterion.scale == "nominal" else text
