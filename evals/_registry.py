"""What Inspect loads at start-up, through the entry point `psychosafe`: importing a thing registers it."""

from evals._launch import LAUNCH_DIR  # first: it records where the command was typed  # isort: skip
from evals.contrast import contrast
from evals.dialogues.play import play_dialogue
from evals.dialogues.scorer import dialogue_panel, timing
from evals.escalation import escalation
from evals.policies.provider import policy
from evals.psychosafe import psychosafe
from evals.sorry.metrics import by, rate
from evals.sorry.scorer import sorry_panel
from evals.sorry_bench import sorry_bench
from evals.xstest import xstest
from evals.xstest_scoring import balanced, xstest_class, xstest_figures
from judges.metrics import coverage, share, value
from judges.panel import rubric_panel

__all__ = [
    "LAUNCH_DIR",
    "balanced",
    "by",
    "contrast",
    "coverage",
    "dialogue_panel",
    "escalation",
    "play_dialogue",
    "policy",
    "psychosafe",
    "rate",
    "rubric_panel",
    "share",
    "sorry_bench",
    "sorry_panel",
    "timing",
    "value",
    "xstest",
    "xstest_class",
    "xstest_figures",
]
