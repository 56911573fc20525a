"""How far raters agree: pure functions on arrays, always with the declared scale, never pooling criteria."""

from judges.agreement.alpha import alpha
from judges.agreement.pairwise import (
    cohen_kappa,
    confusion,
    exact_agreement,
    kappa_estimate,
    quadratic_kappa,
    within_one,
)
from judges.agreement.report_pair import PairReport, pair_report
from judges.agreement.two_judges import JudgeComparison, compare_judges

__all__ = [
    "JudgeComparison",
    "PairReport",
    "alpha",
    "cohen_kappa",
    "compare_judges",
    "confusion",
    "exact_agreement",
    "kappa_estimate",
    "pair_report",
    "quadratic_kappa",
    "within_one",
]
