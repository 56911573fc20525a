"""How the figures of an agreement report are written: names, numbers and intervals in text."""

from __future__ import annotations

from typing import Final

from judges.agreement.criterion_report import LEVELS
from judges.agreement.intervals import Kind
from judges.agreement.measured import measured
from judges.stats import Estimate
from leaderboard.present import plain

HEADLINE: Final[dict[Kind, str]] = {"binary": "kappa", "ordinal": "quadratic_kappa", "nominal": "kappa"}
"""The coefficient that stands for a criterion where there is room for one."""
COLUMNS: Final[dict[Kind, tuple[str, ...]]] = {
    "binary": ("agreement", "kappa", "ac1", "sensitivity", "specificity", "pearson"),
    "ordinal": ("agreement", "within_one", "kappa", "quadratic_kappa", "ac2_quadratic", "pearson", "spearman", "bias"),
    "nominal": ("agreement", "kappa", "ac1", "scott_pi"),
}
"""The coefficients of the full tables; all of them stand in JSON and CSV."""
BRIEF: Final[dict[Kind, tuple[str, ...]]] = {
    "binary": ("agreement", "kappa", "ac1"),
    "ordinal": ("agreement", "quadratic_kappa", "ac2_quadratic", "bias"),
    "nominal": ("agreement", "kappa", "ac1"),
}
"""Those of the short tables."""
NAMES: Final = {
    "agreement": "Agreement",
    "within_one": "Within 1",
    "kappa": "Kappa",
    "linear_kappa": "Linear kappa",
    "quadratic_kappa": "Quadratic kappa",
    "pabak": "PABAK",
    "scott_pi": "Scott's pi",
    "ac1": "AC1",
    "ac2_linear": "AC2, linear",
    "ac2_quadratic": "AC2, quadratic",
    "ac2_ordinal": "AC2, ordinal",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "kendall": "Kendall tau-b",
    "mae": "Mean absolute error",
    "bias": "Bias",
    "prevalence_index": "Prevalence index",
    "bias_index": "Bias index",
    "positive_agreement": "Positive agreement",
    "negative_agreement": "Negative agreement",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "alpha": "Krippendorff's alpha",
    "paper": "Published mean of four",
}
SYMBOLS: Final = {"kappa": "κ", "quadratic_kappa": "quadratic-weighted κ"}
UNBOUNDED: Final = frozenset({"mae", "bias"})
"""Figures in points of the scale, which are written with a leading zero."""
SHORT: Final = 44


def name(figure: str) -> str:
    """A figure or criterion as people call it."""
    return NAMES.get(figure, figure.replace("_", " ").capitalize())


def number(value: float | None, figure: str = "", digits: int = 2) -> str:
    """A number; without a leading zero where it cannot exceed 1, as the APA asks."""
    if value is None:
        return "undefined"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    if figure in UNBOUNDED or abs(float(text)) >= 1:
        return text
    return text.replace("0.", ".", 1)


def bracket(e: Estimate, figure: str = "", digits: int = 2) -> str:
    """The interval in brackets, or nothing."""
    if e.low is None or e.high is None:
        return ""
    return f"[{number(e.low, figure, digits)}, {number(e.high, figure, digits)}]"


def cell(e: Estimate, figure: str = "") -> str:
    """Value and interval, or why there is none; an interval may stand where the value is undefined."""
    span = bracket(e, figure)
    if e.value is None:
        return f"{short(e.reason)} {span}".strip()
    return f"{number(e.value, figure)} {span}".strip() if span else f"{number(e.value, figure)} (no interval)"


def coverage_note(figure: str, kind: Kind) -> str:
    """What the coverage study found for a figure's intervals, where they miss what it asks for; empty otherwise."""
    known = f"alpha ({LEVELS[kind]})" if figure == "alpha" else figure.replace("ICC(", "icc (")
    found = measured(known, kind)
    return found.note if found else ""


def short(reason: str) -> str:
    """The gist of a reason."""
    gist = plain(reason.split(";")[0], 90, ends=False)
    return gist if gist.startswith(("undefined", "not estimable")) else f"undefined: {gist}"


def percent(value: float | None, digits: int = 0, signed: bool = False) -> str:
    """A share as a percentage."""
    return "undefined" if value is None else f"{100 * value:{'+' if signed else ''}.{digits}f} %"


def rater(text: str) -> str:
    """A rater's name on one line."""
    return plain(text, SHORT)
