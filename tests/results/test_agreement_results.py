"""Ratings added to runs, and the agreement report on the published validation data and on XSTest's labels."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import cohen_kappa_score

from judges.agreement.alpha import alpha
from leaderboard.cli import main
from results.added import add_ratings, added_sources
from results.agreement import agreement_report
from results.agreement_records import COMBINED, AgreementReport, Settings
from results.manifest import ConditionFacts, Manifest, SourceFacts
from results.raters import AgreementError, rated, rated_by_people, shared_scales
from results.schema import PANEL_RATER, Rating, ratings_table
from results.store import Store, StoreError
from tests.support.made_runs import manifest

DATA = Path(__file__).parents[2].parent / "shared/data"
PUBLISHED = DATA / "psychosafe/validation"
XSTEST = DATA / "xstest"
NAMES = ("refusal", "grounding", "references", "relevance")
JUDGES = ("glm-4.7", "mistral-large-3-675b-instruct", "qwen3.5-397b-a17b")
needs_data = pytest.mark.skipif(not PUBLISHED.exists(), reason="the published data is not beside the checkout")


def rows(run: str, rater: str, values: dict[str, float | None], kind: str = "human", **other: Any) -> list[Rating]:
    """Ratings of refusal by one rater, an item each."""
    shared: dict[str, Any] = {
        "run_id": run, "epoch": 1, "turn": 0, "repeat": 0, "criterion": "refusal", "origin": "imported",
        "rater": rater, "rater_kind": kind,
    }  # fmt: skip
    made = [
        {**shared, "item_id": i, "value": v, "status": None if v is None else "ok", **other} for i, v in values.items()
    ]
    return cast(list[Rating], made)


def small(root: Path, people: bool = True) -> tuple[Store, list[Manifest]]:
    """Two conditions of one model on four items, a judge that says Yes to the second, and a person."""
    store, runs = Store(root), []
    for condition, truth in (("baseline", (0, 0, 1, 1)), ("prompted", (1, 1, 1, 1))):
        m = manifest("made", condition, n=4)
        judged = {i.id: float(condition == "prompted") for i in m.items}
        panel = rows(m.run_id, PANEL_RATER, judged, "panel", origin="measured")
        store.write(m, ratings_table([*rows(m.run_id, "judge", judged, "llm", origin="measured"), *panel]))
        if people:
            given = {i.id: float(v) for i, v in zip(m.items, truth, strict=True)}
            table = ratings_table(rows(m.run_id, "Ada", given))
            add_ratings(store, m.run_id, table, SourceFacts(file="ada.csv", sha256="1"))
        runs.append(m)
    return store, runs


def test_added_ratings_are_read_with_the_run_and_outlive_its_being_written_again(tmp_path: Path) -> None:
    store, (base, _) = small(tmp_path)
    assert store.values(base.run_id, "Ada") == {"refusal": {"r00": 0.0, "r01": 0.0, "r02": 1.0, "r03": 1.0}}
    assert [s.file for s in added_sources(store, base.run_id)] == ["ada.csv"]
    table = ratings_table(rows(base.run_id, "Ada", {f"r0{n}": float(n > 1) for n in range(4)}))
    assert add_ratings(store, base.run_id, table, SourceFacts(file="ada.csv", sha256="1")) is False
    changed = ratings_table(rows(base.run_id, "judge", {"r00": 1.0}, "llm", origin="measured"))
    assert store.write(base, changed) is True
    assert store.values(base.run_id, "Ada")["refusal"]["r03"] == 1.0 and store.ratings([base.run_id]).num_rows == 5


@pytest.mark.parametrize(
    ("at", "values", "rater", "source", "message"),
    [
        (0, {"nowhere": 1.0}, "Ben", "b.csv", "has no item 'nowhere'"),
        (1, {"r00": 1.0}, "Ben", "b.csv", "ratings of another run"),
        (0, {"r00": 1.0}, "Ada", "b.csv", "Ada has rated refusal of r00"),
        (0, {"r00": 1.0}, "Ada", "ada.csv", "already, with other rows"),
    ],
)
def test_what_cannot_be_added_is_refused_and_nothing_changes(
    tmp_path: Path, at: int, values: dict[str, float | None], rater: str, source: str, message: str
) -> None:
    store, runs = small(tmp_path)
    base = runs[0].run_id
    before = store.ratings([base])
    table = ratings_table(rows(runs[at].run_id, rater, values))
    with pytest.raises(StoreError, match=re.escape(message)):
        add_ratings(store, base, table, SourceFacts(file=source, sha256="1"))
    assert store.ratings([base]).equals(before) and isinstance(before, pa.Table)
    with pytest.raises(StoreError, match="no run 'gone'"):
        add_ratings(store, "gone", ratings_table([]), SourceFacts(file="x"))


def test_runs_whose_conditions_do_not_tell_them_apart_are_called_by_their_ids(tmp_path: Path) -> None:
    store, runs = small(tmp_path)
    # The condition of one is not known.
    named = [runs[0], runs[1].model_copy(update={"condition": ConditionFacts()})]
    ids = tuple(m.run_id for m in runs)
    report = agreement_report(store, named, ["refusal"], brief=True)
    assert [(s.name, s.run_ids) for s in report.scopes] == [*((i, (i,)) for i in ids), (COMBINED, ids)]


def test_who_rated_what(tmp_path: Path) -> None:
    store, runs = small(tmp_path)
    base = runs[0].run_id
    extra = [
        *rows(base, "final", {"r00": 1.0}),
        *rows(base, "Ben", {"r00": 1.0, "r01": None}),
        *rows(base, "Ben", {"r00": 0.0}, repeat=1),
    ]
    add_ratings(store, base, ratings_table(extra), SourceFacts(file="more.csv"))
    found = rated(store, runs)["refusal"]
    # A settled label is nobody's rating, and a panel of one judge is that judge again.
    assert [(r.name, r.role) for r in found.raters] == [("Ada", "person"), ("Ben", "person"), ("judge", "judge")]
    ben = found.of("person")[1]
    assert ben.values == (1.0, *[None] * 7) and ben.asked == (True, True, *[False] * 6)
    assert ben.statuses[:3] == ("ok", "", "not asked") and ben.repeats == ((0.0, *[None] * 7),)
    assert [r.name for r in rated(store, runs, humans=["final"])["refusal"].of("person")] == ["final"]
    assert found.within([runs[1].run_id]).of("person") == (found.within([runs[1].run_id]).raters[0],)
    assert [m.run_id for m in rated_by_people(store)] == sorted(m.run_id for m in runs)
    with pytest.raises(AgreementError, match=r"nobody called .Cleo.*there are Ada, Ben, final"):
        rated(store, runs, humans=["Cleo"])
    with pytest.raises(AgreementError, match=r"no.* criterion .warmth."):
        shared_scales(runs, ["warmth"])
    other = runs[1].rubric.scales["refusal"].model_copy(update={"scale": "ordinal", "points": (1, 2, 3)})
    mixed = runs[1].model_copy(
        update={"rubric": runs[1].rubric.model_copy(update={"scales": {**runs[1].rubric.scales, "refusal": other}})}
    )
    with pytest.raises(AgreementError, match="mixed rubrics"):
        shared_scales([runs[0], mixed], ["refusal"])


def test_a_contrast_by_hand(tmp_path: Path) -> None:
    store, runs = small(tmp_path)
    report = agreement_report(store, runs, ["refusal"])
    (c,) = report.contrasts
    assert (c.baseline, c.other) == (runs[0].run_id, runs[1].run_id)
    assert [s.name for s in report.scopes] == ["baseline", "prompted", COMBINED]
    # The person sees half of the items change, the judge all of them: its error changes by one half.
    assert c.effects["Ada"].difference.value == 0.5 and c.effects["judge"].difference.value == 1.0
    assert c.effects["Ada"].relative == 1.0 and c.effects["judge"].relative is None
    assert c.bias["judge"].change.value == 0.5 and c.bias["judge"].p_value == 0.5 and c.flagged("judge") is False
    with pytest.raises(AgreementError, match="no run"):
        agreement_report(store, [])
    lonely, alone = small(tmp_path / "alone", people=False)
    with pytest.raises(AgreementError, match="fewer than two raters"):
        agreement_report(lonely, alone, ["refusal"])


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the published judgments and the person's ratings, brought in by the commands of the README."""
    root = tmp_path_factory.mktemp("published")
    judged, rated_by = PUBLISHED / "compare_all_judges.json", PUBLISHED / "annotated_responses.json"
    for command in (
        ["import", "psychosafe", str(judged)],
        ["import", "psychosafe-humans", str(rated_by), "--answers", str(judged)],
    ):
        result = CliRunner().invoke(main, [*command, "--store", str(root)])
        assert result.exit_code == 0, result.output
    return root


@pytest.fixture(scope="module")
def report(imported: Path) -> AgreementReport:
    store = Store(imported)
    return agreement_report(store, rated_by_people(store), settings=Settings(compat=True))


@pytest.fixture(scope="module")
def truth() -> dict[tuple[str, str, str], tuple[list[float], list[float]]]:
    """Straight from the two files: (judge, version, criterion) -> the person's values and the judge's."""
    judged = {
        r["prompt"].strip(): r for r in json.loads((PUBLISHED / "compare_all_judges.json").read_text())["results"]
    }
    out: dict[tuple[str, str, str], tuple[list[float], list[float]]] = {}
    for pair in json.loads((PUBLISHED / "annotated_responses.json").read_text())["paired_responses"]:
        for answer in (pair["a"], pair["b"]):
            row = judged[answer["prompt"].strip()]
            (version,) = (v for v in ("v0", "v1") if bare(row[f"model_answer_{v}"]) == bare(answer["answer"]))
            for n, name in enumerate(NAMES, 1):
                for judge in JUDGES:
                    given = row[f"{judge}_{version}_criterion_{n}"]
                    if given is not None:
                        xs, ys = out.setdefault((judge, version, name), ([], []))
                        xs.append(number(answer[f"criterion_{n}"]))
                        ys.append(number(given))
    return out


def bare(text: str) -> str:
    return text.strip().removesuffix("<|im_end|>").strip()


def number(value: Any) -> float:
    return {"Yes": 1.0, "No": 0.0}[value] if isinstance(value, str) and not value.isdigit() else float(value)


def scopes(report: AgreementReport) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name of each scope and the versions in it."""
    yield from zip((s.name for s in report.scopes), (("v0",), ("v1",), ("v0", "v1")), strict=True)


@needs_data
def test_the_person_and_each_judge_per_version_and_combined(report: AgreementReport, truth: Any) -> None:
    undefined = []
    for scope, versions in scopes(report):
        for name in NAMES:
            section = report.section(name, scope)
            assert section is not None
            for judge in JUDGES:
                x, y = (np.concatenate([truth[judge, v, name][side] for v in versions]) for side in (0, 1))
                pair = section.report.pair("person 1", judge)
                assert pair is not None and pair.report.n == x.size
                found = {k: e.value for k, e in pair.report.estimates.items()}
                assert found["agreement"] == pytest.approx((x == y).mean(), abs=1e-9)
                assert found["kappa"] == pytest.approx(cohen_kappa_score(x, y), abs=1e-9)
                level = "ordinal" if name in ("grounding", "relevance") else "nominal"
                assert pair.alpha.value == pytest.approx(alpha([x, y], report.criteria[name].points, level), abs=1e-9)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    for which, theirs in (("pearson", pearsonr(x, y)[0]), ("spearman", spearmanr(x, y)[0])):
                        if math.isnan(theirs):
                            assert found[which] is None and "constant rater" in pair.report.estimates[which].reason
                            undefined.append((scope, name, judge))
                        else:
                            assert found[which] == pytest.approx(theirs, abs=1e-9)
    assert undefined, "the published study has a 0.0 that stands for an undefined correlation"
    zeros = {
        (c.scope.name, c.criterion, c.judge) for c in report.compat if {"pearson", "spearman"} & set(c.figures.zeros)
    }
    assert set(undefined) == {z for z in zeros if z[1] != "pooled"}


@needs_data
def test_compat_reproduces_pooled_figures_and_the_effects_are_the_known_ones(
    report: AgreementReport, truth: Any
) -> None:
    checked = 0
    for scope, versions in scopes(report):
        for judge in JUDGES:
            x, y = (np.concatenate([truth[judge, v, n][side] for v in versions for n in NAMES]) for side in (0, 1))
            (pooled,) = (
                c.figures for c in report.compat if (c.scope.name, c.judge, c.criterion) == (scope, judge, "pooled")
            )
            wanted = ((x == y).mean(), cohen_kappa_score(x, y), pearsonr(x, y)[0], spearmanr(x, y)[0])
            assert (pooled.agreement, pooled.kappa, pooled.pearson, pooled.spearman) == pytest.approx(wanted, abs=1e-9)
            checked += 1
    assert checked == 9
    overall = next(c for c in report.contrasts if c.measure == "paper")
    relative = {r: overall.effects[r].relative for r in ("person 1", *JUDGES)}
    assert [round(100 * (v or 0)) for v in (relative["person 1"], relative[JUDGES[2]], relative[JUDGES[0]])] == [
        57,
        26,
        18,
    ]
    # All three judges see the prompt lift grounding and relevance by too little; with 25 pairs that is beyond chance.
    flags = {(c.measure, j) for c in report.contrasts for j in JUDGES if c.flagged(j)}
    assert flags == {(m, j) for m in ("grounding", "relevance", "paper") for j in JUDGES}


@needs_data
def test_two_people_and_two_automatic_labels_on_xstest(tmp_path: Path) -> None:
    files = sorted(XSTEST.glob("xstest_v2_completions_gpt4_*.csv"))
    assert CliRunner().invoke(main, ["import", "xstest", *map(str, files), "--store", str(tmp_path)]).exit_code == 0
    store = Store(tmp_path)
    report = agreement_report(store, rated_by_people(store))
    (section,) = report.sections
    assert report.people == ("annotation_1", "annotation_2") and report.judges == ("gpt4", "strmatch")
    pairs = {(p.first, p.second): p for p in section.report.pairs}
    people = pairs["annotation_1", "annotation_2"]
    assert people.report.n == 450 and people.report.estimates["kappa"].value == pytest.approx(0.97010710, abs=1e-6)
    # Two people make what one does not: a ceiling, a test, and judges who are below it.
    for judge in report.judges:
        ceiling, test = section.report.ceilings[judge], section.report.alt_tests[judge]
        assert ceiling.non_inferior is False and ceiling.difference.high is not None and ceiling.difference.high < 0
        assert test.judge is not None and test.judge.winning_rate == 1.0
    assert all(pairs[p, j].report.beats_nulls("kappa") for p in report.people for j in report.judges)
