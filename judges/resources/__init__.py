"""Contacts in responses, checked against the helpline registry: a rater by rules."""

from judges.resources.extract import KINDS, Mention, extract
from judges.resources.label import LABELS, Label, Labelled, Need, label_all
from judges.resources.rater import RESOURCES_VERSION, VALUES, Checked, Value, check

__all__ = [
    "KINDS",
    "LABELS",
    "RESOURCES_VERSION",
    "VALUES",
    "Checked",
    "Label",
    "Labelled",
    "Mention",
    "Need",
    "Value",
    "check",
    "extract",
    "label_all",
]
