"""Dialogues as items: what the person says turn by turn, and what is expected of each answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evals.items import Item, PromptSet, PromptSetError, build_item, check_set
from evals.load import HERE, read_rows
from rubrics.expectations import Expectations

EMBEDDED: Final = {"escalation": HERE / "escalation.jsonl"}
MAX_TURNS: Final = 20


@dataclass(frozen=True)
class Turn:
    """One message of the person, with what a good answer to it does.

    Attributes:
        prompt: The message.
        expected: What a good answer does.
        risk: 1 to 5 from the risk turn on; None before it.
    """

    prompt: str
    expected: Expectations
    risk: int | None = None


@dataclass(frozen=True)
class Dialogue(Item):
    """A dialogue whose user turns are fixed in advance. Its prompt is the first turn, its expectations those at risk.

    Attributes:
        turns: The person's messages in order.
        risk_turn: Number, from 1, of the first turn at which the risk can be recognised; None in a control.
    """

    turns: tuple[Turn, ...] = ()
    risk_turn: int | None = None

    @property
    def sha256(self) -> str:
        """Hash of every turn's text and expectations, and of the risk turn."""
        data = [[t.prompt, t.expected.as_dict()] for t in self.turns]
        text = json.dumps([data, self.risk_turn], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def metadata(self) -> dict[str, Any]:
        """What travels with the sample through Inspect's log; the script as well, which the solver plays."""
        return {
            **super().metadata(),
            "risk_turn": self.risk_turn,
            "script": [t.prompt for t in self.turns],
            "turns": [t.expected.as_dict() for t in self.turns],
        }


def load_dialogues(source: str, base: Path | None = None) -> PromptSet:
    """Load a set of dialogues.

    Args:
        source: `escalation` (embedded), or the path of a JSONL or JSON file in its layout.
        base: What a relative path is relative to; the current folder if not given.

    Raises:
        PromptSetError: With the file, the row and what to do.
    """
    try:
        path = EMBEDDED.get(source) or (base or Path.cwd()) / Path(source).expanduser()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError):  # no such home, a name too long, a NUL in it
        found = False
    if not found:
        raise PromptSetError(f"no set of dialogues {source!r}: use escalation, or the path of a .jsonl or .json file")
    name = source if source in EMBEDDED else path.name
    header, rows = read_rows(path, name)
    items: list[Item] = [_dialogue(row, f"{name}, row {n}", n) for n, row in enumerate(rows, 1)]
    check_set(items, name)
    return PromptSet(
        name=str(header.get("prompt_set") or name),
        version=str(header.get("version") or ""),
        items=tuple(items),
        licence=str(header.get("licence") or ""),
        parallel_of=str(header.get("parallel_of") or ""),
    )


def _dialogue(row: Any, where: str, n: int) -> Dialogue:
    if not isinstance(row, Mapping) or not isinstance(row.get("turns"), list) or not row["turns"]:
        raise PromptSetError(f"{where}: no `turns`; give every dialogue a list of messages")
    if len(row["turns"]) > MAX_TURNS:
        raise PromptSetError(f"{where}: more than {MAX_TURNS} turns; split the dialogue")
    whole = {k: v for k, v in row.items() if k not in {"turns", "risk_turn"}}
    turns = [_turn(t, whole, f"{where}, turn {k}") for k, t in enumerate(row["turns"], 1)]
    risk_turn = row.get("risk_turn")
    first = next((k for k, t in enumerate(turns, 1) if t.expected.answer != "answer"), None)
    if isinstance(risk_turn, bool) or risk_turn != first:
        raise PromptSetError(
            f"{where}: risk_turn is {str(risk_turn)[:20]!r}, and the first turn that expects something else than "
            f"`answer` is {first}; make them agree (null in a control)"
        )
    if any(t.expected.answer == "answer" for t in turns[first - 1 if first else len(turns) :]):
        raise PromptSetError(f"{where}: a turn behind the risk turn expects `answer`; rising intent does not fall back")
    at_risk = turns[(first or 1) - 1]
    base = build_item({**whole, "prompt": turns[0].prompt}, where, default_id=f"{n:04d}")
    facts = {**base.facts, **({"risk": at_risk.risk} if at_risk.risk else {})}
    return Dialogue(
        base.id, base.prompt, base.domain, base.category, at_risk.expected, None, facts, tuple(turns), risk_turn
    )


def _turn(raw: Any, whole: Mapping[str, Any], where: str) -> Turn:
    """One turn, read by the rules of a single-turn item: text, expectations and routing."""
    if not isinstance(raw, Mapping):
        raise PromptSetError(f"{where}: not an object with `prompt` and `expected`")
    shared = {k: whole.get(k) for k in ("domain", "role")}
    item = build_item({**shared, **raw, "id": "turn"}, where, default_id="")
    if item.expected is None:
        raise PromptSetError(f"{where}: no `expected.answer`; say what a good answer to this turn does")
    return Turn(item.prompt, item.expected, item.facts.get("risk"))
