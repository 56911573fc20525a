"""`psychosafe reproduce`: the published main comparison, recomputed; on the published file and on a made-up one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from results.reproduce import DIFFERENCES
from tests.leaderboard.test_board import PUBLISHED_FILE

VALIDATION = PUBLISHED_FILE.with_name("val.json")
STATED = {
    ("v1_full", "paper"): 28.08, ("v1_full", "references"): 46.78, ("v1_full", "grounding"): 34.76,
    ("v1_full", "relevance"): 15.90, ("v1_full", "refusal"): 6.07,
    ("v0_sft", "paper"): 15.06, ("v0_sft", "references"): 53.90, ("v0_sft", "relevance"): -13.47,
    ("v0_sft", "grounding"): 14.23,
    ("v1_sft", "paper"): 14.11, ("v1_sft", "references"): 52.88, ("v1_sft", "relevance"): -13.36,
}  # fmt: skip


def reproduce(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["reproduce", "psychosafe", *map(str, arguments)])


@pytest.mark.skipif(not PUBLISHED_FILE.exists(), reason="the published data is not beside the checkout")
def test_the_published_figures_to_the_second_decimal_and_the_items_left_out() -> None:
    result = reproduce(PUBLISHED_FILE, "--prompts", VALIDATION, "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.output)
    lines = {(x["run"], x["measure"]): x for x in data["lines"]}
    for key, wanted in STATED.items():
        found = lines[key]["relative"]
        assert round(100 * found["value"], 2) == wanted
        assert found["low"] < found["value"] < found["high"] and found["n"] == 455
    assert {key: x["agrees"] for key, x in lines.items() if x["agrees"] is not None} == dict.fromkeys(
        [("v1_full", m) for m in ("paper", "references", "grounding")], True
    )
    assert data["left_out"] == 45 and lines["v1_full", "gated_published"]["relative"] is None
    # By hand: the 45 at 0 in the prompted run and 1 in the baseline, and the other way round.
    x = lines["v1_full", "paper"]
    a, b = x["baseline"]["value"] * 455, x["other"]["value"] * 455
    assert x["bounds"] == pytest.approx([(b - a - 45) / 500, (b - a + 45) / 500])
    assert {r["domain"] for r in data["domains"]} >= {"self_harm", "weapons"}
    assert data["differences"] == list(DIFFERENCES)
    text = reproduce(PUBLISHED_FILE, "--format", "markdown").output
    assert "+28.08 %" in text and "With the 45 left out" in text and "19 mutations" in text


def test_a_file_without_the_baseline_is_refused_in_one_line(tmp_path: Path) -> None:
    values = {f"judge_v9_criterion_{c}": v for c, v in ((1, "Yes"), (2, 3), (3, "No"), (4, 2))}
    rows = [{"prompt": f"a made-up message {n}", **values} for n in range(3)]
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"models": ["judge_v9"], "num_items": 3, "results": rows}))
    result = reproduce(path)
    assert result.exit_code == 1 and "no run 'v0_full'" in result.output and result.output.count("\n") == 1
    assert reproduce(tmp_path / "none.json").exit_code == 2
