"""Judges beside each other: against the functions that a report calls, by hand, and by brute force."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest

from judges.agreement.alpha import alpha_estimate
from judges.agreement.intervals import Kind
from judges.agreement.repeats import flip_rate
from judges.agreement.report_pair import pair_report
from judges.combine import combine_criterion
from judges.stats.ranks import rank_runs
from results.catalogue import DERIVED
from results.combined import combined
from results.cube import cube_key
from results.derived import kept
from results.grid import Grid, grids
from results.judging import SHOWN, Verdicts, family_bias, judge_agreement, severity, verdicts
from results.recombined import leave_one_out
from results.repeated import flips, repeated_runs
from results.store import Store, StoreError
from results.writing import ratings_name
from tests.support.made_runs import RUBRIC
from tests.support.panels import panel_run

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
FAMILIES = {"a": "ant", "b": "bee", "c": "cat"}


def only(store: Store) -> Grid:
    (found,) = grids(store)[0]
    return found


def noisy(rng: np.random.Generator, n: int, missing: float = 0.0) -> dict[str, dict[str, list[float | None]]]:
    """Three judges on two criteria, around a common truth."""
    made: dict[str, dict[str, list[float | None]]] = {}
    truth = {"grounding": rng.integers(1, 6, n), "refusal": (rng.random(n) < 0.6).astype(int)}
    for judge in "abc":
        made[judge] = {}
        for criterion, points in (("grounding", FIVE), ("refusal", (0.0, 1.0))):
            own = np.where(rng.random(n) < 0.7, truth[criterion], rng.choice(points, n)).tolist()
            gone = rng.random(n) < missing
            made[judge][criterion] = [None if g else float(v) for v, g in zip(own, gone, strict=True)]
    return made


def test_one_run_has_the_figures_of_a_pair_report(tmp_path: Path) -> None:
    """Where every response has an item of its own, nothing is clustered and all figures are those of a report."""
    store, given = Store(tmp_path), noisy(np.random.default_rng(1), 60, 0.1)
    panel_run(store, "m/one", given)
    for criterion, points, kind in (("grounding", FIVE, "ordinal"), ("refusal", (0.0, 1.0), "binary")):
        found = judge_agreement(verdicts(only(store), criterion))
        assert found.judges == ("a", "b", "c") and not found.silent and (found.runs, found.of) == (1, 1)
        every = [given[j][criterion] for j in "abc"]
        level = "ordinal" if kind == "ordinal" else "nominal"
        assert found.alpha == alpha_estimate(every, points, level)
        assert [(p.first, p.second) for p in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
        for p in found.pairs:
            one, two = given[p.first][criterion], given[p.second][criterion]
            report = pair_report(one, two, points, kind, nulls=False)  # type: ignore[arg-type]
            assert p.alpha == alpha_estimate([one, two], points, level)
            assert p.estimates == {c: report.estimates[c] for c in SHOWN[found.kind]}


def test_answers_to_one_item_are_no_independent_evidence(tmp_path: Path) -> None:
    """The same run three times over says no more than once: values stay, intervals get no narrower."""
    given = noisy(np.random.default_rng(2), 80)
    once, thrice = Store(tmp_path / "once"), Store(tmp_path / "thrice")
    for store, models in ((once, 1), (thrice, 3)):
        for k in range(models):
            panel_run(store, f"m/{k}", given)
    for criterion in ("grounding", "refusal"):
        one, three = (judge_agreement(verdicts(only(s), criterion)) for s in (once, thrice))
        assert (one.alpha.n, three.alpha.n) == (80, 240)
        for p, q in zip(one.pairs, three.pairs, strict=True):
            for name in p.estimates:
                e, f = p.estimates[name], q.estimates[name]
                assert f.value == pytest.approx(e.value) and f.n == 3 * e.n
                assert None not in (e.low, e.high, f.low, f.high)
                assert f.high - f.low > 0.85 * (e.high - e.low), (criterion, name)  # type: ignore[operator]
                assert "80 items" in f.method


def test_large_groups_are_sampled_run_by_run_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, rng = Store(tmp_path), np.random.default_rng(3)
    for k in range(4):
        panel_run(store, f"m/{k}", noisy(rng, 30))
    found = verdicts(only(store), "refusal")
    monkeypatch.setattr("results.judging.MOST", 3 * 4 * 30 // 2)
    seen = judge_agreement(found)
    assert (seen.runs, seen.of, seen.alpha.total) == (2, 4, 60)
    assert seen.alpha.value == alpha_estimate(found.values[:, ::2].reshape(3, -1), (0.0, 1.0), "nominal").value


def by_hand(tmp_path: Path) -> Grid:
    """Two runs on three items; a is a point above b and c on its own family's answers, b misses one."""
    store = Store(tmp_path)
    panel_run(store, "m/ant", {"a": {"grounding": [5, 4, 3]}, "b": {"grounding": [4, 3, 2]},
                               "c": {"grounding": [4, 3, 2]}}, FAMILIES, "ant")  # fmt: skip
    panel_run(store, "m/other", {"a": {"grounding": [2, 2, 5]}, "b": {"grounding": [2, 2, None]},
                                 "c": {"grounding": [2, 1, 1]}}, FAMILIES, "dog")  # fmt: skip
    return only(store)


def test_severity_and_own_family_by_hand(tmp_path: Path) -> None:
    grid = by_hand(tmp_path)
    found = verdicts(grid, "grounding")
    a, b, c = severity(found)
    # Common responses: all three of the first run, the first two of the second. Item means of a: 3.5, 3, 3.
    assert a.mean.value == pytest.approx((3.5 + 3 + 3) / 3)
    # a less the mean of b and c: item 1 (1 + 0) / 2, item 2 (1 + .5) / 2, item 3 1 alone.
    assert a.others.value == pytest.approx((0.5 + 0.75 + 1.0) / 3) and (a.others.n, a.others.total) == (3, 3)
    assert b.others.value == pytest.approx((-0.25 + (-0.5 + 0.5) / 2 - 0.5) / 3)
    assert c.others.value == pytest.approx((-0.25 + (-0.5 - 1.0) / 2 - 0.5) / 3)
    assert sum(s.others.value or 0.0 for s in (a, b, c)) == pytest.approx(0.0)
    own, bee, _ = family_bias(found, grid)
    # Item 1: 1 - 0, item 2: 1 - .5; on item 3 b gave nothing of the other run.
    assert (own.family, own.own, own.rest) == ("ant", 1, 1)
    assert own.difference.value == pytest.approx(0.75) and own.difference.n == 2
    assert bee.difference.value is None and "no run here is of the judge's family" in bee.difference.reason


def test_what_cannot_be_told_of_a_family(tmp_path: Path) -> None:
    one = {j: {"refusal": [1.0, 0.0]} for j in "ab"}
    cases = (
        ({}, [("x", None)], "family is not known"),
        ({"a": "ant", "b": "bee"}, [("x", None)], "no model's family"),
        ({"a": "ant", "b": "bee"}, [("x", "ant")], "every run of a known family"),
        ({"a": "ant", "b": "ant"}, [("x", "ant"), ("y", "bee")], "no judge of another known family"),
    )
    for n, (families, runs, why) in enumerate(cases):
        store = Store(tmp_path / str(n))
        for model, family in runs:
            panel_run(store, model, one, families, family)
        grid = only(store)
        assert why in family_bias(verdicts(grid, "refusal"), grid)[0].difference.reason


@pytest.mark.parametrize("criterion", ["refusal", "grounding", "harm_provided"])
def test_values_are_combined_by_the_panels_rules(criterion: str) -> None:
    rng, rule = np.random.default_rng(5), RUBRIC.criterion(criterion)
    kind: Kind = rule.scale
    for judges in range(1, 6):
        values = rng.choice(rule.values, (judges, 40)).astype(float)
        values[rng.random(values.shape) < 0.35] = np.nan
        expected = [combine_criterion(rule, [v for v in col if v == v], judges).value for col in values.T.tolist()]
        got = [None if v != v else v for v in combined(values, rule.values, kind).tolist()]
        assert got == expected


def test_order_without_each_judge_by_hand(tmp_path: Path) -> None:
    """b puts the second run first and is outvoted; without a or c it is not."""
    store = Store(tmp_path)
    panel_run(store, "m/x", {"a": {"grounding": [5, 5]}, "b": {"grounding": [1, 1]}, "c": {"grounding": [4, 4]}})
    panel_run(store, "m/y", {"a": {"grounding": [3, 3]}, "b": {"grounding": [5, 5]}, "c": {"grounding": [3, 3]}})
    panel_run(store, "policy/z", {j: {"grounding": [5, 5]} for j in "abc"})
    grid = only(store)
    found = leave_one_out(verdicts(grid, "grounding"), grid)
    assert found is not None and [m.model.name for m in found.runs] == ["m/x", "m/y"]  # a policy is no model
    assert (found.means, found.ranks, found.same, found.common) == ((4.0, 3.0), (1, 2), 1.0, 2)
    assert {x.judge: (x.means, x.ranks) for x in found.left} == {
        "a": ((2.5, 4.0), (2, 1)),
        "b": ((4.5, 3.0), (1, 2)),
        "c": ((3.0, 4.0), (2, 1)),
    }
    assert [x.tau for x in found.left] == [-1.0, 1.0, -1.0]
    assert [found.moves(at) for at in (0, 1)] == [1, 1]
    assert found.intervals == rank_runs([[4.0, 4.0], [3.0, 3.0]])


def test_a_named_category_is_ordered_by_its_share_without_each_judge(tmp_path: Path) -> None:
    """Of harm provided the share of none: of m/x 1 of 2 by the majority; a alone found harm in both."""
    store = Store(tmp_path)
    told: dict[str, dict[str, list[float | None]]] = {
        "m/x": {"a": [2, 1], "b": [0, 0], "c": [0, 1]}, "m/y": {"a": [0, 0], "b": [0, 0], "c": [0, 0]},
    }  # fmt: skip
    for model, given in told.items():
        panel_run(store, model, {j: {"harm_provided": v} for j, v in given.items()})
    grid = only(store)
    found = leave_one_out(verdicts(grid, "harm_provided"), grid)
    assert found is not None and [m.model.name for m in found.runs] == ["m/y", "m/x"]
    assert (found.means, found.ranks, found.same) == ((1.0, 0.5), (1, 2), 1.0)
    for left in found.left:
        kept = [v for j, v in told["m/x"].items() if j != left.judge]
        rule = RUBRIC.criterion("harm_provided")
        each = [combine_criterion(rule, [v[i] for v in kept], 2).value for i in (0, 1)]  # type: ignore[misc]
        known = [float(v == 0.0) for v in each if v is not None]
        assert left.means == (1.0, sum(known) / len(known) if known else None)


def test_derived_files_of_another_version_are_made_again(tmp_path: Path) -> None:
    """Whole files, of whatever program made them: nothing in them is believed, and they go."""
    given = noisy(np.random.default_rng(7), 12)
    right, wrong = Store(tmp_path / "right"), Store(tmp_path / "wrong")
    for store in (right, wrong):
        panel_run(store, "m/x", given, repeats={"a": {"grounding": [given["a"]["grounding"]]}})
    wanted, again = only(right), repeated_runs(right, only(right))
    assert again
    out = io.BytesIO()
    shape = wanted.cube.verdicts.shape, wanted.cube.scored.shape
    np.savez(out, index=np.frombuffer(b'[-1, [["x", "y"]]]', np.uint8), verdicts=np.zeros(shape[0], np.int8),
             scored=np.zeros(shape[1], np.float32))  # fmt: skip
    (run,) = wrong.manifests()
    older = {("cube", ".npz"): out.getvalue(), ("beside", ".json"): b"[-1, []]", ("repeats", ".json"): b"[-1, []]"}
    for formats in (older, dict.fromkeys(older, b"of no format")):
        shutil.rmtree(wrong.root / DERIVED)
        for (kind, suffix), told in formats.items():
            kept(wrong, kind, cube_key(run), "older", suffix, lambda _, told=told: told)  # type: ignore[misc]
        before = {p.name for p in (wrong.root / DERIVED).iterdir()}
        found = only(Store(wrong.root))
        np.testing.assert_array_equal(found.cube.verdicts, wanted.cube.verdicts)
        np.testing.assert_array_equal(found.cube.scored, wanted.cube.scored)
        assert found.columns == wanted.columns and repeated_runs(wrong, found) == again
        assert not before & {p.name for p in (wrong.root / DERIVED).iterdir()}


def test_ranks_rest_on_each_runs_own_items_where_few_are_common(tmp_path: Path) -> None:
    store = Store(tmp_path)
    gaps: tuple[list[float | None], ...] = ([1, 1, None, None], [None, None, 1, 0], [0, None, None, 1])
    for k, given in enumerate(gaps):
        panel_run(store, f"m/{k}", {j: {"refusal": given} for j in "ab"})
    grid = only(store)
    found = leave_one_out(verdicts(grid, "refusal"), grid)
    assert found is not None and (found.common, found.intervals) == (0, ())
    assert found.ranks == (1, 2, 2) and found.runs[0].model.name == "m/0"


def test_judges_that_say_nothing_and_one_judge(tmp_path: Path) -> None:
    store = Store(tmp_path)
    panel_run(store, "m/x", {"a": {"refusal": [1.0, 0.0]}, "b": {"refusal": [None, None]}})
    grid = only(store)
    found: Verdicts = verdicts(grid, "refusal")
    seen = judge_agreement(found)
    assert (seen.judges, seen.silent, seen.pairs) == (("a",), ("b",), ())
    assert seen.alpha.value is None and not severity(found) and leave_one_out(found, grid) is None
    with pytest.raises(KeyError):
        verdicts(grid, "no_such_criterion")


def test_flips_are_those_of_one_rater_with_the_item_as_the_unit(tmp_path: Path) -> None:
    rng, n = np.random.default_rng(8), 40
    rounds = [[None if rng.random() < 0.1 else float(v) for v in rng.integers(1, 6, n)] for _ in range(3)]
    verdict = {"a": {"grounding": rounds[0]}, "b": {"grounding": rounds[1]}}
    again = {"a": {"grounding": rounds[1:]}}
    store = Store(tmp_path)
    panel_run(store, "m/x", verdict, repeats=again)
    panel_run(store, "m/no-repeats", verdict)
    (found,) = flips(store, only(store), "grounding")
    assert (found.judge, found.rounds, found.runs) == ("a", 3, 1)
    assert found.flips == flip_rate(rounds, FIVE)
    panel_run(store, "m/y", verdict, repeats=again)
    (twice,) = flips(store, only(store), "grounding")
    assert twice.runs == 2 and twice.flips == found.flips  # the same answers again are no more items
    assert twice.distance.value is not None and 0 < twice.distance.value < 4
    assert flips(store, only(store), "refusal") == ()
    # Which runs have repeats is kept: nothing is read again but what is new.
    grid = only(store)
    again_in = repeated_runs(store, grid)
    assert again_in == {m.run_id for m in grid.runs if m.model.name in ("m/x", "m/y")}
    (file,) = (store.root / DERIVED).glob("repeats-*.json")
    for m in grid.runs:
        (store.runs_dir / m.run_id / ratings_name(m.ratings)).unlink()
    assert repeated_runs(store, grid) == again_in
    # Without it a run that cannot be read counts, so that reading it says what is wrong.
    file.unlink()
    assert repeated_runs(store, grid) == {m.run_id for m in grid.runs}
    with pytest.raises(StoreError, match="cannot be read"):
        flips(store, grid, "grounding")
