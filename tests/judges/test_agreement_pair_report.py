"""The report of one judge and one person, and of two judges: whole, in JSON, and without silent numbers."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binomtest

from judges.agreement.report_pair import PairReport, pair_report
from judges.agreement.two_judges import compare_judges
from judges.stats import Estimate, wilson

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
TWO = (0.0, 1.0)
REFERENCE = [1.0] * 48 + [0.0] * 2


def reference() -> PairReport:
    return pair_report(REFERENCE, [1.0] * 50, TWO, "binary", lengths=list(range(50)))


def ends(e: Estimate) -> tuple[float, float]:
    assert e.low is not None and e.high is not None
    return e.low, e.high


# --------------------------------------------------------------------------------------------------- reference case


def test_the_reference_case() -> None:
    """50 items, 48 against 2, a judge that always says Yes: 96 % agreement that says nothing about the judge."""
    got = reference().estimates
    agreement = got["agreement"]
    assert (agreement.value, *ends(agreement), agreement.method) == (0.96, *wilson(48, 50), "Wilson")
    assert got["kappa"].value == 0.0
    assert ends(got["kappa"]) == pytest.approx((-0.03, 0.73), abs=0.03)
    assert got["ac1"].value == pytest.approx(0.958, abs=5e-4)
    assert ends(got["ac1"]) == pytest.approx((0.84, 0.99), abs=0.015)
    assert got["pabak"].value == pytest.approx(0.92)
    assert got["scott_pi"].value == pytest.approx(-0.0204, abs=5e-5)
    for name in ("pearson", "spearman", "kendall"):
        assert got[name].value is None
        assert got[name].reason == "undefined: constant rater (the judge)"
    assert got["bias"].value == pytest.approx(0.04)
    assert got["prevalence_index"].value == pytest.approx(0.96)
    assert (got["sensitivity"].value, got["specificity"].value) == (1.0, 0.0)
    assert (got["sensitivity"].n, got["specificity"].n) == (48, 2)
    assert ends(got["specificity"]) == wilson(0, 2)
    assert "constant rater (the judge)" in got["kappa"].reason


def test_the_reference_judge_beats_nothing() -> None:
    report = reference()
    told = {c.coefficient: report.beats_nulls(c.coefficient) for c in report.nulls}
    assert told["kappa"] is told["ac1"] is told["agreement"] is False
    assert told["pearson"] is None
    assert True not in told.values()
    assert report.as_dict()["beats_nulls"] == told


@pytest.mark.parametrize("rater", [0, 1])
def test_a_person_of_one_class_is_no_error(rater: int) -> None:
    pair = [[1.0] * 50, REFERENCE]
    got = pair_report(pair[rater], pair[1 - rater], TWO, "binary").estimates
    assert got["kappa"].value == 0.0
    assert (got["specificity"].value is None) == (rater == 0)
    if rater == 0:
        assert got["specificity"].reason.startswith("not estimable: no item that the person calls No")


def test_both_constant() -> None:
    report = pair_report([1.0] * 50, [1.0] * 50, TWO, "binary")
    for name in ("kappa", "ac1", "scott_pi", "ac2_linear", "pearson"):
        e = report.estimates[name]
        assert e.value is None
        assert e.reason.startswith("undefined: ")
        assert -1 <= ends(e)[0] < ends(e)[1] <= 1
    assert True not in {report.beats_nulls(c.coefficient) for c in report.nulls}


# ------------------------------------------------------------------------------------------------------ what it holds


def test_missing_is_counted_by_cause() -> None:
    human = [1.0, None, 0.0, None, 1.0, 0.0]
    judge = [1.0, 1.0, None, None, None, 0.0]
    statuses = (
        ["ok", "skipped", "ok", "skipped", "ok", "ok"],
        ["ok", "ok", "judge_refused", "unparsable", "judge_refused", "ok"],
    )
    report = pair_report(human, judge, TWO, "binary", statuses=statuses)
    assert report.missing == {"human": {"skipped": 2}, "judge": {"judge_refused": 2, "unparsable": 1}}
    assert (report.n, report.total) == (2, 6)
    assert report.estimates["kappa"].coverage == pytest.approx(2 / 6)
    assert report.estimates["agreement"].total == 6
    bare = pair_report(human, judge, TWO, "binary")
    assert bare.missing == {"human": {"unstated": 2}, "judge": {"unstated": 3}}
    with pytest.raises(ValueError, match="5 statuses for 6 items of the judge"):
        pair_report(human, judge, TWO, "binary", statuses=(statuses[0], statuses[1][:5]))


def test_the_table_and_its_margins() -> None:
    report = pair_report([1, 1, 2, 5, None], [1, 2, 2, 4, 3], FIVE, "ordinal")
    assert report.table == ((1, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0,) * 5, (0,) * 5, (0, 0, 0, 1, 0))
    assert report.marginals == {"human": (2, 1, 0, 0, 1), "judge": (1, 2, 0, 1, 0)}
    assert report.estimates["within_one"].value == 1.0
    assert report.estimates["agreement"].value == 0.5
    assert report.estimates["mae"].value == pytest.approx(0.5)
    assert report.estimates["bias"].value == pytest.approx(0.0)


@pytest.mark.parametrize(("scale", "kind"), [(TWO, "binary"), (FIVE, "ordinal"), ((0.0, 1.0, 2.0), "nominal")])
def test_every_figure_is_a_number_or_a_reason(scale: tuple[float, ...], kind: str) -> None:
    """Random, tiny, empty and constant pairs: the same names each time, no NaN, no bare None, all in JSON."""
    rng, names = random.Random(1), set()
    for trial in range(24):
        n = rng.choice([0, 1, 2, 5, 29, 30, 80])
        used = rng.sample(scale, rng.randint(1, len(scale)))
        human = [rng.choice([*used, None]) for _ in range(n)]
        judge = [rng.choice([x, *used]) for x in human]
        lengths = [rng.choice([None, 10.0 * i]) for i in range(n)]
        report = pair_report(human, judge, scale, kind, lengths=lengths, seed=trial)  # type: ignore[arg-type]
        names.add(frozenset(report.estimates))
        for name, e in report.estimates.items():
            assert e.value is not None or e.reason, name
            assert (e.low is None) == (e.high is None)
            assert e.low is None or e.method
            for number in (e.value, e.low, e.high):
                assert number is None or math.isfinite(number)
            if e.value is not None and e.low is not None and e.high is not None:
                assert e.low <= e.value <= e.high
        for c in report.nulls:
            assert c.beats is not None or c.reason
        json.dumps(report.as_dict(), allow_nan=False)
    assert len(names) == 1


def test_what_a_scale_does_not_allow_says_so() -> None:
    nominal = pair_report([0, 1, 2], [0, 1, 1], (0.0, 1.0, 2.0), "nominal").estimates
    for name in ("quadratic_kappa", "ac2_ordinal", "pearson", "mae", "within_one"):
        assert nominal[name].reason == "undefined: a nominal scale has no order"
    assert nominal["sensitivity"].reason == "undefined: a scale of kind nominal has no Yes"
    assert pair_report([1, 0], [1, 0], TWO, "binary").estimates["within_one"].reason.endswith("always 1")


@pytest.mark.parametrize("odd", [math.nan, 3.5, 0.0, math.inf])
def test_a_value_off_the_scale_is_refused(odd: float) -> None:
    """NaN is no category and no silent gap: a missing value is None."""
    with pytest.raises(ValueError, match="not on the scale"):
        pair_report([1.0, odd], [1.0, 2.0], FIVE, "ordinal")
    with pytest.raises(ValueError, match="not on the scale"):
        compare_judges([1.0, 2.0], [None, 2.0], [odd, 2.0], FIVE, "ordinal")


def test_other_numbers_of_items_are_refused() -> None:
    with pytest.raises(ValueError, match="same items"):
        pair_report([1.0], [1.0, 2.0], FIVE, "ordinal")
    with pytest.raises(ValueError, match="same items"):
        compare_judges([1.0, 2.0], [1.0, 2.0], [1.0], FIVE, "ordinal")
    with pytest.raises(ValueError, match="1 lengths for 2 items"):
        pair_report([1.0, 2.0], [1.0, 2.0], FIVE, "ordinal", lengths=[3.0])


def test_truth_values_and_arrays_are_values() -> None:
    human, judge = np.array(REFERENCE, dtype=bool), np.array([True] * 50)
    got = pair_report(human.tolist(), judge.tolist(), TWO, "binary").estimates
    assert got == pair_report(REFERENCE, [1.0] * 50, TWO, "binary").estimates
    assert pair_report(np.array(REFERENCE), np.ones(50), TWO, "binary").estimates == got  # type: ignore[arg-type]


def test_the_level_is_kept() -> None:
    human = [1.0, 0.0] * 30
    judge = [1.0, 0.0] * 25 + [0.0, 0.0] * 5
    narrow, wide = (pair_report(human, judge, TWO, "binary", level=level).estimates for level in (0.8, 0.99))
    for name in ("agreement", "kappa", "ac1", "sensitivity", "mae", "pearson"):
        assert ends(wide[name])[0] < ends(narrow[name])[0]
        assert ends(wide[name])[1] >= ends(narrow[name])[1]


def test_it_starts_without_inspect() -> None:
    code = "import sys, judges.agreement.report_pair; print({'inspect_ai', 'pandas', 'scipy.stats'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --------------------------------------------------------------------------------------------------------- two judges


def test_two_judges_by_hand() -> None:
    """40 items: both right on 20, only the first on 12, only the second on 4, neither on 4."""
    human = [1.0, 0.0] * 20
    first = [h if i < 32 else 1 - h for i, h in enumerate(human)]
    second = [h if i < 20 or 32 <= i < 36 else 1 - h for i, h in enumerate(human)]
    got = compare_judges(human, first, second, TWO, "binary")
    assert (got.n, got.total, got.only_first, got.only_second) == (40, 40, 12, 4)
    assert got.mcnemar == pytest.approx(binomtest(4, 16).pvalue - math.comb(16, 4) / 2**16, abs=1e-12)
    d = got.differences["agreement"]
    assert d.value == pytest.approx(24 / 40 - 32 / 40)
    assert d.method.startswith("paired, Jeffreys-Dirichlet")
    # The paired interval of a difference of shares, by the usual large-sample formula.
    half = 1.96 * math.sqrt((12 + 4) / 40**2 - (12 - 4) ** 2 / 40**3)
    assert ends(d) == pytest.approx((-0.2 - half, -0.2 + half), abs=0.04)
    assert got.differences["kappa"].value == pytest.approx((got.second["kappa"] or 0) - (got.first["kappa"] or 0))
    back = compare_judges(human, second, first, TWO, "binary")
    assert (back.mcnemar, back.differences["agreement"].value) == (got.mcnemar, pytest.approx(0.2))
    json.dumps(got.as_dict(), allow_nan=False)


def test_pairing_makes_the_interval_narrower() -> None:
    """Two judges that err on the same items differ by little, however badly each agrees with the person."""
    rng = np.random.default_rng(0)
    human = rng.integers(1, 6, 200).astype(float)
    first = np.clip(human + rng.integers(-2, 3, 200), 1, 5)
    second = first.copy()
    second[:10] = human[:10]
    report = pair_report(human.tolist(), first.tolist(), FIVE, "ordinal").estimates["quadratic_kappa"]
    both = compare_judges(human.tolist(), first.tolist(), second.tolist(), FIVE, "ordinal")
    gap = both.differences["quadratic_kappa"]
    assert gap.value is not None and gap.value > 0
    assert ends(gap)[1] - ends(gap)[0] < (ends(report)[1] - ends(report)[0]) / 2
    assert both.mcnemar is None and "binary" in both.reason


def test_paired_differences_cover() -> None:
    """100 studies of 60 items with two correlated judges; the true difference of kappas is known."""
    rng = np.random.default_rng(9)
    truth = rng.dirichlet([6, 2, 2, 1, 1, 2, 2, 6]).reshape(2, 2, 2)

    def kappa(t: np.ndarray) -> float:
        po, row, col = np.trace(t), t.sum(axis=1), t.sum(axis=0)
        return float((po - row @ col) / (1 - row @ col))

    want = kappa(truth.sum(axis=1)) - kappa(truth.sum(axis=2))
    hits = 0
    for seed in range(100):
        cells = rng.choice(8, 60, p=truth.ravel())
        h, a, b = (np.array(x, dtype=float).tolist() for x in np.unravel_index(cells, (2, 2, 2)))
        low, high = ends(compare_judges(h, a, b, TWO, "binary", seed=seed).differences["kappa"])
        hits += low <= want <= high
    assert hits >= 89


def test_two_judges_that_never_differ_or_share_no_item() -> None:
    same = compare_judges(REFERENCE, [1.0] * 50, [1.0] * 50, TWO, "binary")
    assert same.mcnemar is None and "only one of the judges" in same.reason
    assert same.differences["kappa"].value == 0.0
    assert ends(same.differences["kappa"])[0] < 0 < ends(same.differences["kappa"])[1]
    assert same.differences["pearson"].value is None
    assert same.differences["pearson"].reason.startswith("first: undefined: constant rater")
    apart = compare_judges([1.0, 0.0], [1.0, None], [None, 0.0], TWO, "binary")
    assert (apart.n, apart.total) == (0, 2)
    for e in apart.differences.values():
        assert e.value is None and e.low is None and e.reason.startswith("not estimable")
    assert compare_judges([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, None], TWO, "binary").n == 2
