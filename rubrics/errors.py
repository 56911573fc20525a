"""Errors that a user can mend, in a form that can be shown anywhere.

Messages quote what stands in files, and a file may hold a megabyte where a name should be, line breaks, half
characters that no terminal encodes, or codes that steer one.
"""

from __future__ import annotations

from typing import Final

MAX_MESSAGE: Final = 700
"""Characters of a message: what is wrong stands at its start, the mend at its end, and both are kept."""
_CUT: Final = " [...] "


class MendableError(ValueError):
    """An error whose message is one printable line that says what to do."""

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


def one_line(text: str, most: int = MAX_MESSAGE) -> str:
    """A text on one line: what cannot be printed as its code, and the middle left out where it is too long.

    Args:
        text: The text.
        most: Characters at most.
    """
    # Cut before anything else is done: the text may be of any length.
    line = " ".join(_cut(text, 4 * most).split())
    if not line.isprintable():
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return _cut(line, most)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = (most - len(_CUT)) // 2
    return text[: most - len(_CUT) - end] + _CUT + text[-end:]
