"""One criterion's report, labels needed, published-style figures, Holm: by hand, by brute force, by other libraries."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.multitest import multipletests

from judges.agreement.alpha import alpha_estimate
from judges.agreement.compat import pooled, published
from judges.agreement.criterion import RaterValues
from judges.agreement.criterion_report import combined_people, criterion_report
from judges.agreement.intervals import coefficients, estimate, posterior
from judges.agreement.planning import labels_needed
from judges.agreement.report_pair import pair_report
from judges.stats.families import benjamini_hochberg, holm

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
TWO = (0.0, 1.0)


def study(n: int = 60, seed: int = 0) -> list[RaterValues]:
    """Two people and two judges around one truth, a judge that fails at times, a panel with half points."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, n)

    def noisy(share: float) -> tuple[float | None, ...]:
        return tuple(float(t if rng.random() < share else rng.integers(1, 6)) for t in truth)

    one, two = noisy(0.9), tuple(None if rng.random() < 0.3 else v for v in noisy(0.9))
    a, b = noisy(0.8), noisy(0.6)
    b = tuple(None if i % 10 == 0 else v for i, v in enumerate(b))
    status = tuple("judge_refused" if v is None else "ok" for v in b)
    panel = tuple(x if y is None else (x + y) / 2 for x, y in zip(a, b, strict=True) if x is not None)
    return [
        RaterValues("one", "person", one),
        RaterValues("two", "person", two, asked=tuple(v is not None for v in two)),
        RaterValues("a", "judge", a, repeats=(noisy(0.8),)),
        RaterValues("b", "judge", b, status),
        RaterValues("panel", "panel", panel),
    ]


def test_a_report_holds_what_its_parts_give() -> None:
    raters = study()
    report = criterion_report(raters, FIVE, "ordinal", seed=3)
    assert (report.people, report.judges) == (("one", "two"), ("a", "b"))
    assert {(p.first, p.second) for p in report.pairs} == {
        *((who, j) for who in ("one", "two") for j in ("a", "b", "panel")), ("one", "two"), ("a", "b"),
    }  # fmt: skip
    values = {r.name: r.values for r in raters}
    pair = report.pair("a", "one")
    assert pair is not None and pair.first == "one"
    alone = pair_report(values["one"], values["a"], FIVE, "ordinal", seed=3)
    assert pair.report.estimates == alone.estimates and pair.report.nulls == alone.nulls
    assert pair.alpha == alpha_estimate([values["one"], values["a"]], FIVE, "ordinal", seed=3)
    refusing = report.pair("one", "b")
    assert refusing is not None and refusing.report.missing["judge"] == {"judge_refused": 6}
    # A person is compared on what they were to rate, and no more.
    second = report.pair("two", "a")
    assert second is not None and second.report.total == sum(v is not None for v in values["two"])
    # Half points of the panel's median stretch the scale; two judges are not set beside null judges.
    median = report.pair("one", "panel")
    assert median is not None and set(FIVE) < set(median.report.scale) and 2.5 in median.report.scale
    judges = report.pair("a", "b")
    assert judges is not None and judges.report.nulls == () and judges.report.beats_nulls("kappa") is None
    assert set(report.repeats) == {"a"} and set(report.left_out) == {"a", "b"}
    assert set(report.comparisons) == {("one", "a", "b"), ("two", "a", "b")}
    assert report.ceilings["a"].people.value == pytest.approx(
        alpha_estimate([values["one"], values["two"]], FIVE, "ordinal").value
    )


def test_one_person_makes_the_ceiling_not_estimable_and_no_person_leaves_judges() -> None:
    raters = study()
    alone = criterion_report([r for r in raters if r.name != "two"], FIVE, "ordinal")
    assert alone.alphas["people"].value is None
    assert "not estimable" in alone.ceilings["a"].people.reason and "two people" in alone.alt_tests["a"].reason
    none = criterion_report([r for r in raters if r.role == "judge"], FIVE, "ordinal")
    assert (none.errors, none.left_out, none.alt_tests, none.ceilings) == (None, {}, {}, {})
    assert [(p.first, p.second) for p in none.pairs] == [("a", "b")]
    with pytest.raises(ValueError, match="one name"):
        criterion_report([raters[0], raters[0]], FIVE, "ordinal")


def test_people_are_combined_without_a_quorum() -> None:
    people = [[1.0, None, 3.0, None], [2.0, None, None, 5.0], [2.0, None, 5.0, None]]
    assert combined_people(people, "ordinal") == (2.0, None, 4.0, 5.0)
    assert combined_people([[1.0, 0.0, None], [0.0, 0.0, 1.0]], "binary") == (None, 0.0, 1.0)
    assert combined_people([], "binary", 2) == (None, None)


def test_a_judge_that_only_knows_the_condition_beats_the_constant_and_not_the_condition_null() -> None:
    rng = np.random.default_rng(1)
    conditions = ["baseline"] * 60 + ["prompted"] * 60
    person = [float(rng.random() < (0.1 if c == "baseline" else 0.9)) for c in conditions]
    lazy = [float(c == "prompted") for c in conditions]
    report = pair_report(person, lazy, TWO, "binary", conditions=conditions)
    beaten = {c.null: c.beats for c in report.nulls if c.coefficient == "kappa"}
    assert beaten["constant"] and beaten["random"] and beaten["condition"] is False
    assert report.beats_nulls("kappa") is False
    assert all(c.null != "condition" for c in pair_report(person, lazy, TWO, "binary").nulls)
    with pytest.raises(ValueError, match="1 conditions for 120 items"):
        pair_report(person, lazy, TWO, "binary", conditions=["x"])


def test_the_length_null_is_the_same_for_every_judge_of_a_person() -> None:
    rng = np.random.default_rng(2)
    lengths = [float(x) for x in rng.integers(20, 400, 90)]
    person = [float(x > 200) for x in lengths]
    full = [float(rng.random() < 0.5) for _ in lengths]
    holes = [None if i % 3 == 0 else v for i, v in enumerate(full)]
    kept = [i for i, v in enumerate(holes) if v is not None]
    with_holes = pair_report(person, holes, TWO, "binary", lengths=lengths)
    value = {c.coefficient: c.value for c in with_holes.nulls if c.null == "length"}
    assert value["agreement"] is not None and value["agreement"] > 0.9 and with_holes.n == len(kept)


@pytest.mark.parametrize("design", ["random", "stratified"])
@pytest.mark.parametrize(("kind", "name"), [("binary", "kappa"), ("ordinal", "quadratic_kappa")])
def test_the_labels_found_give_the_width(design: str, kind: str, name: str) -> None:
    points = TWO if kind == "binary" else FIVE
    coefficient = next(c for c in coefficients(points, kind) if c.name == name)  # type: ignore[arg-type]
    rng = np.random.default_rng(4)
    table = np.zeros((len(points),) * 2)
    for t in rng.integers(0, len(points), 80):
        table[t, t if rng.random() < 0.75 else rng.integers(0, len(points))] += 1
    found = labels_needed(coefficient, table, 0.15, design)  # type: ignore[arg-type]
    assert found.labels is not None and found.more == found.labels - 80
    if design == "random":
        # A table of that size with these shares has the width, by the very interval that the report prints.
        grown = table / table.sum() * found.labels
        e = estimate(coefficient, grown, posterior(grown, 7), found.labels)
        assert e.high is not None and e.low is not None and e.high - e.low == pytest.approx(0.15, rel=0.08)
    assert labels_needed(coefficient, table, 0.3, design).labels < found.labels  # type: ignore[arg-type, operator]


def test_labels_by_verdict_save_labels_where_one_verdict_is_rare() -> None:
    kappa = next(c for c in coefficients(TWO, "binary") if c.name == "kappa")
    table = np.array([[3.0, 2.0], [2.0, 43.0]])
    at_random, by_verdict = (labels_needed(kappa, table, 0.2, d, [100, 900]) for d in ("random", "stratified"))
    assert at_random.labels is not None and by_verdict.labels is not None
    assert by_verdict.labels < 0.8 * at_random.labels
    few = labels_needed(kappa, table, 0.2, "random", [5, 45])
    assert few.reason.startswith("only 50 responses") and few.labels == at_random.labels
    assert labels_needed(kappa, np.array([[1.0, 0], [0, 3]]), 0.2, "random").labels is None
    never = labels_needed(kappa, table, 0.001, "random")
    assert (never.labels, never.more, never.reason) == (None, None, "more than 100000 labels")
    assert never.width_now is not None and never.width_now > 0.2
    for width, verdicts, message in ((0.0, None, "above 0"), (0.2, [1], "1 counts")):
        with pytest.raises(ValueError, match=message):
            labels_needed(kappa, table, width, "random", verdicts)


def test_published_figures_equal_scipy_and_scikit_learn_and_mark_their_zeros() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        n = int(rng.integers(3, 40))
        x, y = rng.integers(1, rng.integers(2, 6), n).astype(float), rng.integers(1, 4, n).astype(float)
        x[rng.random(n) < 0.3] = np.nan
        kept = ~np.isnan(x)
        given = [None if math.isnan(v) else float(v) for v in x]
        found = published(given, list(map(float, y)))
        assert json.loads(json.dumps(found.as_dict())) == {**vars(found), "zeros": list(found.zeros)}
        if kept.sum() < 2:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = {
                "kappa": cohen_kappa_score(x[kept], y[kept]),
                "pearson": pearsonr(x[kept], y[kept])[0],
                "spearman": spearmanr(x[kept], y[kept])[0],
            }
        assert found.agreement == (x[kept] == y[kept]).mean()
        for name, value in wanted.items():
            assert getattr(found, name) == pytest.approx(0.0 if math.isnan(value) else value, abs=1e-12)
            assert (name in found.zeros) == math.isnan(value)
    constant = published([1.0, 1.0, 0.0], [1.0, 1.0, 1.0])
    assert (constant.pearson, constant.zeros) == (0.0, ("pearson", "spearman")) and constant.kappa == 0.0
    both = pooled({"a": ([1.0, 0.0], [1.0, 1.0]), "b": ([5.0, 3.0], [4.0, 3.0])})
    assert both == published([1.0, 0.0, 5.0, 3.0], [1.0, 1.0, 4.0, 3.0]) and both.n == 4


def test_corrections_equal_statsmodels() -> None:
    rng = np.random.default_rng(6)
    for m in (1, 2, 7, 30):
        p = rng.random(m) ** 3
        assert holm(list(p)) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-15)
        assert benjamini_hochberg(list(p)) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-15)
    assert holm([]) == benjamini_hochberg([]) == ()
    with pytest.raises(ValueError, match="outside 0 to 1"):
        holm([0.1, math.nan])
