"""The published SORRY-Bench and XSTest tables: counts behind percentages, intervals, checks, and one's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from evals.sorry.taxonomy import MUTATIONS
from judges.stats import Estimate
from leaderboard.cli import main
from results.published import reference_runs
from results.published.tables import (
    PublishedError,
    rate,
    sorry_bench_table,
    unpaired_difference,
    xstest_table,
)
from results.reproduce_tables import reproduce_sorry_bench, reproduce_xstest
from tests.results.test_import_sorry_bench import JUDGE, judgment, write
from tests.results.test_import_xstest import DATA, pair

PAPER = "https://arxiv.org/abs/2606.09697"


def reproduce(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["reproduce", *map(str, arguments)])


def test_a_percentage_and_the_counts_that_print_so() -> None:
    # By hand: 33 / 250 = 13.2 %; 64 / 440 = 14.545 %, which prints as 14.5, and as 14.6 by way of 14.55.
    one = rate(13.2, 250)
    assert (one.count, one.rounding, one.estimate.value) == (33, "once", 0.132)
    assert (one.estimate.low, one.estimate.high) == pytest.approx(proportion_confint(33, 250, method="wilson"))
    assert (rate(14.5, 440).counts, rate(14.5, 440).rounding) == ((64,), "once")
    assert (rate(14.6, 440).counts, rate(14.6, 440).rounding) == ((64,), "twice")
    assert rate(0.0, 440).count == 0 and rate(100.0, 440).count == 440
    # Several fit: no count, and an interval over all of them. Brute force over every count.
    many = rate(25.0, 8360)
    assert many.counts == tuple(k for k in range(8361) if abs(100 * k / 8360 - 25.0) <= 0.05)
    assert many.count is None and many.estimate.value == 0.25 and "2086 to 2094" in many.estimate.method
    assert many.estimate.low == pytest.approx(proportion_confint(2086, 8360, method="wilson")[0])
    assert many.estimate.high == pytest.approx(proportion_confint(2094, 8360, method="wilson")[1])
    # None fits: a value without an interval, and why.
    none = rate(13.3, 10)
    assert (none.counts, none.count, none.estimate.low) == ((), None, None)
    assert none.estimate.reason == "no count of 10 prints as 13.3 %"
    for percent, n in ((-0.1, 10), (100.1, 10), (float("nan"), 10), (50.0, 0)):
        with pytest.raises(PublishedError, match="is no percentage"):
            rate(percent, n)
    json.dumps([one.as_dict(), many.as_dict(), none.as_dict()], allow_nan=False)


def test_answers_that_share_a_question_are_not_independent() -> None:
    wide = rate(25.0, 8360, questions=440).estimate
    narrow = rate(25.0, 8360).estimate
    assert None not in (wide.low, wide.high, narrow.low, narrow.high)
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]
    assert wide.low == pytest.approx(proportion_confint(440 * 2086 / 8360, 440, method="wilson")[0])
    assert "440 questions" in wide.method


def test_an_unpaired_difference_is_newcombes() -> None:
    for (x, n), (y, m) in (((33, 250), (60, 250)), ((0, 440), (3, 440)), ((118, 200), (157, 200))):
        a, b = (
            Estimate(k / total, *proportion_confint(k, total, method="wilson"), total, total, "Wilson")
            for k, total in ((x, n), (y, m))
        )
        found = unpaired_difference(a, b)
        low, high = confint_proportions_2indep(y, m, x, n, method="newcomb", compare="diff")
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high)) and found.n == min(n, m)
        assert found.method == "Newcombe's hybrid score, unpaired"
    unknown = Estimate(0.1, None, None, 10, 10, "", "no count fits")
    assert unpaired_difference(unknown, unknown).low is None


def test_the_tables_and_what_adds_up() -> None:
    sorry, xstest = sorry_bench_table(), xstest_table()
    assert len(sorry.rows) == len(xstest.rows) == 12
    for table in (sorry, xstest):
        assert table.source == PAPER and table.revision.startswith("not on record") and table.notes
        assert all(x.counts for r in table.rows for x in (*r.rates.values(), *r.mutations.values()))
    assert xstest.row("qwen35-27b_v1").rates["over_refusal"].count == 60
    assert xstest.row("psysafe-27b_default").rates["safety"].count == 34
    assert [sorry.row(f"qwen35-27b_{c}").rates["base"].count for c in ("default", "v0", "v1")] == [73, 56, 57]
    with pytest.raises(PublishedError, match="no published row 'nobody'"):
        sorry.row("nobody")
    checks = {c.what: c for c in reproduce_sorry_bench().checks}
    average = checks["Average of the 19 mutations (`qwen35-27b_default`)"]
    assert average.found == "2,093 of 8,360 = 25.04 %" and average.agrees
    twentieth = checks["Average of 20, the base set as one of them (`qwen35-27b_default`)"]
    assert twentieth.found == "2,166 of 8,800 = 24.61 %" and not twentieth.agrees
    lacking = checks["Mutations of SORRY-Bench that the table lacks"]
    assert "question" in MUTATIONS and lacking.found.endswith("not in it: question") and not lacking.agrees
    found = reproduce_xstest()
    assert any("33 and 60 of 250, +10.8 points" in c.found and c.agrees for c in found.checks)
    assert any("0 of 440" in c.stated and c.found.endswith("166 of 200") and not c.agrees for c in found.checks)
    balanced = found.derived["qwen35-27b_default"]["balanced"]
    assert balanced.value == pytest.approx((0.59 + 1 - 0.132) / 2) and balanced.low is not None
    rows = reference_runs()
    assert len(rows) == 24 and {m for r in rows for m in r.measures} == {
        "fulfilment", "fulfilment_over_mutations", "over_refusal", "safety",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["sorry-bench", "xstest"])
def test_the_commands_in_every_format(name: str) -> None:
    data = json.loads(reproduce(name, "--json").output)
    assert len(data["rows"]) == 12 and data["checks"] and data["account"] and "files" not in data
    for fmt in ("table", "csv", "markdown", "latex"):
        result = reproduce(name, "--format", fmt)
        assert result.exit_code == 0 and "Qwen3.5-27B" in result.output, result.output
    text = reproduce(name, "--format", "markdown").output
    wanted = ("2,093 of 8,360", "[13.4, 20.4]", "56", "-6.5 [") if name == "sorry-bench" else ("+10.8 [+4.0, +17.5]",)
    assert all(w in text for w in (*wanted, "Unpaired", "What adds up")), text


def test_ones_own_judgments_stand_beside_the_published_row(tmp_path: Path) -> None:
    rows = [judgment(n, n % 2, model="qwen35-27b-v0") for n in range(1, 41)]
    mutated = [judgment(n, int(n < 11), model="qwen35-27b-v0") for n in range(1, 41)]
    write(tmp_path / "model_judgment" / f"{JUDGE}.jsonl", [*rows, judgment(1, 1, model="other")])
    write(tmp_path / "model_judgment_slang" / f"{JUDGE}.jsonl", mutated)
    write(tmp_path / "model_judgment_morse_decoded" / f"{JUDGE}.jsonl",
          [judgment(n, None if n == 40 else 1, model="qwen35-27b-v0") for n in range(1, 41)])  # fmt: skip
    result = reproduce("sorry-bench", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    other, mine = sorted(json.loads(result.output)["files"], key=lambda f: f["system"])
    assert mine["figures"]["base"]["value"] == 0.5 and mine["published"]["base"]["percent"] == 12.7
    # By hand: of 40 questions the first 10 have (1 + 1) / 2, the next 29 (0 + 1) / 2, the last one 0 of its one score.
    assert mine["figures"]["mutated"]["value"] == pytest.approx((10 + 29 * 0.5 + 0) / 40)
    assert mine["figures"]["mutated"]["n"] == 40 and "1 answers without a score" in mine["notes"][0]
    assert "lacks the mutation `question`" in mine["notes"][1]
    assert other["published"] == {} and "no published row of this name" in other["notes"]
    assert other["figures"]["mutated"]["value"] is None
    assert "From the files given" in reproduce("sorry-bench", tmp_path).output
    bad = reproduce("sorry-bench", write(tmp_path / "x.jsonl", ["{"]))
    assert bad.exit_code == 1 and bad.output.count("\n") == 1


def test_what_raters_make_of_the_same_answers(tmp_path: Path) -> None:
    files = json.loads(reproduce("xstest", *pair(tmp_path), "--json").output)["files"]
    by_rater = {f["rater"]: f for f in files}
    assert len(files) == len(by_rater) == 5  # the two files of a model count once
    # Two safe rows: settled on compliance and a partial refusal; two unsafe ones: both settled on refusals.
    assert by_rater["final"]["figures"]["over_refusal"]["value"] == 0.5
    assert by_rater["gpt4"]["figures"]["over_refusal"]["value"] == 0.0  # one label, and one that cannot be read
    assert by_rater["gpt4"]["notes"] == ["3 labels that are none, counted as not refused"]
    assert by_rater["strmatch"]["figures"]["full_refusals_as_compliance"]["value"] == 0.5
    if not DATA.exists():
        pytest.skip(f"XSTest's completions are not here: {DATA}")
    published = sorted(DATA.glob("xstest_v2_completions_*.csv"))
    real = json.loads(reproduce("xstest", *published, "--json").output)["files"]
    over = {f["system"]: f["figures"]["over_refusal"]["value"] for f in real if f["rater"] == "final"}
    assert over == pytest.approx({"gpt4": 0.084, "llama2new": 0.296, "mistralinstruct": 0.016})
