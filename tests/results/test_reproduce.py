"""`psychosafe reproduce`: the published main comparison, recomputed; on the published file and on a made-up one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evals.data import SETS
from judges.stats.families import holm
from leaderboard.cli import main
from results.answer_ends import answer_ends, is_unfinished
from results.reproduce import DIFFERENCES
from tests.evals.test_data_fetch import Reply, Server
from tests.support.made_runs import PUBLISHED_FILE

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


@pytest.mark.skipif(not PUBLISHED_FILE.exists(), reason="the published data is not beside the checkout")
def test_faithful_and_strict_stand_side_by_side() -> None:
    data = json.loads(reproduce(PUBLISHED_FILE, "--json").output)
    lines = {(x["run"], x["measure"]): x for x in data["lines"]}
    sides = {(x["run"], x["measure"]): x for x in data["side_by_side"]}
    assert len(sides) == 15
    for key, side in sides.items():
        assert side["relative"]["value"] == pytest.approx(lines[key]["relative"]["value"])
        assert side["faithful"] == pytest.approx([lines[key]["baseline"]["value"], lines[key]["other"]["value"]])
    # Strict overall is the gated mean; strict references by hand from the file's own answers.
    gated, overall = lines["v1_full", "gated_published"], sides["v1_full", "paper"]
    for part in ("baseline", "other", "difference"):
        assert overall[part]["value"] == pytest.approx(gated[part]["value"])
    assert overall["bounds"] == pytest.approx(gated["bounds"])
    rows = json.loads(PUBLISHED_FILE.read_text(encoding="utf-8"))["results"]
    both = [
        [float(r[f"qwen3.5-397b-a17b_{run}_criterion_{c}"] == "Yes") for c in (1, 3)]
        for r in rows
        for run in ("v0_full", "v1_full")
    ]
    assert sides["v1_full", "references"]["difference"]["value"] == pytest.approx(
        sum(a * b for a, b in both[1::2]) / 455 - sum(a * b for a, b in both[::2]) / 455
    )
    assert [x["adjusted"] for x in sides.values()] == pytest.approx(holm([x["p_value"] for x in sides.values()]))
    assert data["answers"] == "not in this file" and data["complete_answers_only"] == []
    text = reproduce(PUBLISHED_FILE).output
    assert "Faithful and strict" in text and "Answers not in this file" in text
    # The widest table keeps its last column.
    assert "+0.115 to +0.295" in text and "+0.084 to +0.263" in text


def test_how_an_answer_ends() -> None:
    finished = (
        "Take care.", "Call 988", "with hope \U0001f499", "See https://example.org/help", "(a note)", "**Bold**",
        "Here is help:\n- a friend you trust", "It helps.\n\n## Somebody to talk to", "example.org", "",
    )  # fmt: skip
    for text in finished:
        assert not is_unfinished(text), text
    for text in ("I am sorry that you", "First, breathe,", "You can turn to:", "a friend (or", "one\ntwo words"):
        assert is_unfinished(text), text


def answered(tmp_path: Path) -> Path:
    """Four runs on eight prompts: each rated alike but where said, answers whole but where said."""
    end, whole = "<|im_end|>", "This is a made-up answer."
    rows: list[dict[str, Any]] = []
    for n in range(8):
        row: dict[str, Any] = {"id": n, "prompt": f"a made-up message {n}"}
        for run, ground in (("v0_full", 2), ("v1_full", 4), ("v0_sft", 3), ("v1_sft", 3)):
            for c, v in ((1, "Yes"), (2, ground), (3, "No" if run == "v0_full" else "Yes"), (4, 3 + n % 2)):
                row[f"judge_{run}_criterion_{c}"] = v
            if run != "v1_sft":
                row[f"model_answer_{run}"] = whole + end * run.endswith("full")
        rows.append(row)
    rows[0]["model_answer_v0_full"] = "This one stops in the"  # no token where the others have it
    rows[1]["model_answer_v0_full"] = "- a list that was cut"  # closes on the page, but has no token either
    rows[2]["model_answer_v1_full"] = "over and over again " * 40 + end
    rows[3]["model_answer_v0_sft"] = "This one stops in the"
    rows[4]["model_answer_v0_sft"] = "<think>never answered"
    rows[5]["model_answer_v0_sft"] = None
    rows[0]["judge_v1_full_criterion_2"] = 5
    path = tmp_path / "answers.json"
    models = [f"judge_{r}" for r in ("v0_full", "v1_full", "v0_sft", "v1_sft")]
    path.write_text(json.dumps({"models": models, "num_items": 8, "results": rows}))
    return path


def test_answers_that_were_cut_and_the_comparison_without_them(tmp_path: Path) -> None:
    path = answered(tmp_path)
    data = json.loads(reproduce(path, "--json").output)
    ends = data["answers"]
    counts = ("answers", "with_token", "without_token", "unfinished", "repeating", "no_answer", "complete")
    assert {run: [e[c] for c in counts] for run, e in ends.items()} == {
        "v0_full": [8, 6, 2, 1, 0, 0, 6],
        "v1_full": [8, 8, 0, 0, 1, 0, 7],
        "v0_sft": [7, 0, 7, 1, 0, 1, 5],
    }
    assert [e["end_token_tells"] for e in ends.values()] == [True, True, False]
    cut = {(x["run"], x["measure"]): x for x in data["complete_answers_only"]}
    assert {run for run, _ in cut} == {"v1_full", "v0_sft"}  # no answers of v1_sft in the file
    # By hand: grounding 2 against 4, and 5 in the first item, whose baseline answer was cut.
    whole = {(x["run"], x["measure"]): x for x in data["side_by_side"]}
    assert whole["v1_full", "grounding"]["faithful"] == [2.0, 33 / 8]
    assert cut["v1_full", "grounding"]["faithful"] == [2.0, 4.0]
    assert cut["v1_full", "grounding"]["relative"]["value"] == 1.0
    assert cut["v1_full", "grounding"]["difference"]["n"] == 5  # neither 0, 1 nor 2
    assert cut["v0_sft", "grounding"]["difference"]["n"] == 3  # neither 0, 1, 3, 4 nor 5
    # With no verdict in common there is no figure, and none of 0.
    gaps = json.loads(path.read_text())
    for row in gaps["results"]:
        row["judge_v0_sft_criterion_4"] = None
    holes = tmp_path / "gaps.json"
    holes.write_text(json.dumps(gaps))
    sides = {(x["run"], x["measure"]): x for x in json.loads(reproduce(holes, "--json").output)["side_by_side"]}
    gap = sides["v0_sft", "relevance"]
    assert gap["faithful"] == [None, None] and gap["relative"]["value"] is None
    assert gap["relative"]["reason"] == "no item has a value in both runs"
    text = reproduce(path).output
    assert "The comparison without answers that were cut" in text and "made-up answer" not in text
    # With the baseline's answers alone there is nothing to compare them with.
    alone = json.loads(path.read_text())
    for row in alone["results"]:
        for run in ("v1_full", "v0_sft"):
            row.pop(f"model_answer_{run}", None)
    (tmp_path / "alone.json").write_text(json.dumps(alone))
    text = reproduce(tmp_path / "alone.json").output
    assert "Answers that were cut" in text and "The comparison without answers that were cut" not in text
    broken = json.loads(path.read_text())
    broken["results"][1]["model_answer_v0_full"] = 5
    path.write_text(json.dumps(broken))
    result = reproduce(path)
    assert result.exit_code == 1 and "result 2: an answer that is no text" in result.output


@pytest.mark.skipif(not PUBLISHED_FILE.exists(), reason="the published data is not beside the checkout")
def test_no_published_validation_answer_was_cut() -> None:
    found = answer_ends(PUBLISHED_FILE.parent / "validation/compare_all_judges.json", ["v0", "v1", "v9"])
    assert list(found) == ["v0", "v1"]
    assert all((e.answers, e.with_token, e.unfinished, len(e.complete)) == (25, 25, 0, 25) for e in found.values())


def test_a_file_without_the_baseline_is_refused_in_one_line(tmp_path: Path) -> None:
    values = {f"judge_v9_criterion_{c}": v for c, v in ((1, "Yes"), (2, 3), (3, "No"), (4, 2))}
    rows = [{"prompt": f"a made-up message {n}", **values} for n in range(3)]
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"models": ["judge_v9"], "num_items": 3, "results": rows}))
    result = reproduce(path)
    assert result.exit_code == 1 and "no run 'v0_full'" in result.output and result.output.count("\n") == 1
    assert reproduce(tmp_path / "none.json").exit_code == 2


@pytest.mark.socket
def test_without_a_file_the_fetched_copy_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = json.loads(answered(tmp_path).read_text())
    rows = [{**made["results"][n % 8], "id": n, "prompt": f"a made-up message {n}"} for n in range(455)]
    spec = SETS["paper_judgments"]
    path = f"/{spec.source}/{spec.ref}/{spec.files[0].path}"
    with Server() as server:
        monkeypatch.setenv("PSYCHOSAFE_DATA", str(tmp_path / "cache"))
        monkeypatch.setenv("PSYCHOSAFE_GITHUB_RAW", server.url)
        missing = reproduce()
        assert missing.exit_code == 1 and missing.output.count("\n") == 1
        assert "run `psychosafe data fetch paper_judgments`" in missing.output
        server.routes[path] = Reply(json.dumps(made).encode())  # 8 rows: another file than the published one
        short = CliRunner().invoke(main, ["data", "fetch", spec.name])
        assert short.exit_code == 1 and "8 rows where the release has 455" in short.output
        server.routes[path] = Reply(json.dumps({**made, "num_items": 455, "results": rows}).encode())
        done = CliRunner().invoke(main, ["data", "fetch", spec.name])
        assert done.exit_code == 0 and f"revision {spec.ref[:12]}" in done.output, done.output
    data = json.loads(reproduce("--json").output)
    assert data["left_out"] == 45 and data["answers"]["v0_full"]["answers"] == 455
    # What was fetched is named by a commit: the same one from anywhere else is compared with its checksum.
    copy = next((tmp_path / "cache").rglob("compare_all_judges*.json"))
    copy.write_bytes(copy.read_bytes() + b" ")
    assert "not what was fetched (checksum)" in reproduce().output
