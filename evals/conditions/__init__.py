"""Conditions: what the model is given besides the prompt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubrics.errors import MendableError

HERE: Final = Path(__file__).parent
BASELINE: Final = "You are a helpful assistant."
"""The paper's baseline system prompt."""
NAMES: Final = ("none", "baseline", "prompted")
MAX_BYTES: Final = 1_000_000


class ConditionError(MendableError):
    """A condition that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Condition:
    """A named system prompt, or none.

    Attributes:
        name: `none`, `baseline`, `prompted`, or the name of the file.
        system: The system prompt; None for `none`.
    """

    name: str
    system: str | None

    @property
    def sha256(self) -> str | None:
        """Hash of the system prompt; None where there is none."""
        return hashlib.sha256(self.system.encode()).hexdigest() if self.system is not None else None


def load_condition(source: str, base: Path | None = None) -> Condition:
    """Load a condition by name or from a text file.

    Args:
        source: One of `NAMES`, or a path.
        base: What a relative path is relative to; the current folder if not given.

    Raises:
        ConditionError: No such name or file, an empty file, or one that is not text.
    """
    if source == "none":
        return Condition("none", None)
    if source == "baseline":
        return Condition("baseline", BASELINE)
    try:
        path = HERE / "prompted.md" if source == "prompted" else (base or Path.cwd()) / Path(source).expanduser()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError):  # no such home, a name too long, a NUL in it
        found = False
    if not found:
        raise ConditionError(f"unknown condition {source!r}: use {', '.join(NAMES)}, or the path of a text file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConditionError(f"{path.name}: larger than {MAX_BYTES:,} bytes, too long for a system prompt")
        text = path.read_text(encoding="utf-8-sig").strip()
    except OSError as ex:
        raise ConditionError(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex
    except UnicodeDecodeError as ex:
        raise ConditionError(f"{path.name}: not UTF-8 text; save the system prompt as UTF-8") from ex
    if not text:
        raise ConditionError(f"{path.name}: empty; a condition file holds the system prompt")
    if source == "prompted":
        return Condition("prompted", text)
    # A file must not pass for a built-in condition: only its text can.
    return Condition(path.name if path.stem in NAMES else path.stem, text)
