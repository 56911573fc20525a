"""Schematicity: how canned a run is, read from its responses alone."""

from judges.schematic.measure import (
    SCHEMATIC_VERSION,
    Identifiability,
    Redundancy,
    ResponseRow,
    Schematicity,
    schematicity,
)

__all__ = ["SCHEMATIC_VERSION", "Identifiability", "Redundancy", "ResponseRow", "Schematicity", "schematicity"]
