"""Parts of a score that copies of it may share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Shared(dict[str, Any]):
    """A part of a score's metadata that nobody changes any more, so that a copy of the score holds the same one.

    To work out the metrics, Inspect copies every score once for each of its values; to copy what stands beside them
    took longer than all that the scorer does itself.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself."""
        return self


def shared(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a score, each part of which is shared by its copies."""
    return {key: Shared(part) if isinstance(part, dict) else part for key, part in metadata.items()}
