"""Importing results of lm-evaluation-harness: figures without items, through every command that meets such a run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from evals.conditions import BASELINE
from leaderboard.board import load_board
from leaderboard.cli import main
from leaderboard.static import board_html
from results.importers.lm_eval import AT_CHANCE, chance, read_results
from results.importers.psychosafe import ImportRefused
from results.store import Store
from tests.support.made_runs import demo_like

SUBJECTS = {"mmlu_anatomy": 135, "mmlu_virology": 166}
ITEMS = sum(SUBJECTS.values())


def results(mmlu: float = 0.84, hellaswag: float = 0.83, **changes: Any) -> dict[str, Any]:
    """Results of a made-up model on two subjects of a group, and on one more task, in the harness's layout."""
    data: dict[str, Any] = {
        "results": {
            "mmlu": {"alias": "mmlu", "acc,none": mmlu, "acc_stderr,none": error(mmlu, ITEMS)},
            **{t: {"alias": " - x", "acc,none": mmlu, "acc_stderr,none": error(mmlu, n)} for t, n in SUBJECTS.items()},
            "hellaswag": {
                "alias": "hellaswag", "acc,none": 0.6, "acc_stderr,none": 0.005, "acc_norm,none": hellaswag,
                "acc_norm_stderr,none": error(hellaswag, 10042),
            },
        },
        "group_subtasks": {"mmlu": list(SUBJECTS)},
        "versions": {"mmlu": 2, **dict.fromkeys(SUBJECTS, 1.0), "hellaswag": 1.0},
        "n-shot": {**dict.fromkeys(SUBJECTS, 0), "hellaswag": 0},
        "n-samples": {
            **{t: {"original": n, "effective": n} for t, n in SUBJECTS.items()},
            "hellaswag": {"original": 10042, "effective": 10042},
        },
        "config": {
            "model": "vllm", "model_args": "pretrained=made-up/base,dtype=bfloat16,api_key=SECRET",
            "model_sha": "0123abc", "gen_kwargs": None,
        },
        "git_hash": "abcdef1", "date": 1750000000.25, "lm_eval_version": "0.4.9", "transformers_version": "4.57.0",
        "chat_template": None, "system_instruction": None, "model_name": "made-up/base",
    }  # fmt: skip
    return data | changes


def error(share: float, n: int) -> float:
    return math.sqrt(share * (1 - share) / (n - 1))


def write(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def run(store: Path, *arguments: object) -> Any:
    return CliRunner().invoke(main, [*map(str, arguments), "--store", str(store)])


def test_figures_with_their_intervals_and_all_that_is_stated(tmp_path: Path) -> None:
    manifest, figures = read_results(write(tmp_path / "results_1.json", results()))
    assert list(figures) == [
        "capability/mmlu/acc", "subtask/mmlu_anatomy/acc", "subtask/mmlu_virology/acc", "capability/hellaswag/acc",
        "capability/hellaswag/acc_norm",
    ]  # fmt: skip
    mmlu = figures["capability/mmlu/acc"]
    half = 1.959963984540054 * error(0.84, ITEMS)
    assert (mmlu.value, mmlu.low, mmlu.high) == (0.84, pytest.approx(0.84 - half), pytest.approx(0.84 + half))
    assert (mmlu.n, mmlu.total, mmlu.reason) == (ITEMS, ITEMS, "")  # a group has the items of its parts
    assert (manifest.origin, manifest.task, manifest.created) == ("imported", "lm_eval", "2025-06-15T15:06:40+00:00")
    assert (manifest.model.name, manifest.model.revision) == ("made-up/base", "0123abc")
    assert manifest.model.args == {"backend": "vllm", "dtype": "bfloat16"} and "SECRET" not in manifest.to_json()
    assert manifest.condition.name == "none" and manifest.condition.system_sha256 is None
    assert manifest.versions["lm_eval"] == "0.4.9" and manifest.versions["chat_template"] == "none"
    assert manifest.versions["task mmlu"] == f"version 2, 0 shots, {ITEMS} of {ITEMS} items"
    assert manifest.items == () and manifest.prompt_set.scored == ITEMS + 10042 and not manifest.limited
    assert manifest.source.note == "lm-evaluation-harness 0.4.9, commit abcdef1, 2025-06-15T15:06:40+00:00"


def test_what_is_not_stated_stays_unknown(tmp_path: Path) -> None:
    data = {
        "results": {
            "mmlu": {"acc,none": 0.5},
            "piqa": {"acc,none": 0.8, "acc_stderr,none": "N/A"},
            "gsm8k": {"exact_match,strict-match": 0.4, "exact_match_stderr,strict-match": 0.01},
            "wikitext": {"word_perplexity,none": 9.5, "word_perplexity_stderr,none": float("nan")},
            "copa": {"acc,none": "N/A"},
        }
    }
    manifest, figures = read_results(write(tmp_path / "r.json", data))
    for name in ("mmlu/acc", "piqa/acc", "wikitext/word_perplexity"):
        e = figures[f"capability/{name}"]
        assert e.low is None and e.reason == "no standard error stated" and (e.n, e.coverage) == (0, None)
    assert figures["capability/copa/acc"].value is None
    strict = figures["capability/gsm8k/exact_match (strict-match)"]
    assert strict.low is not None and strict.method.endswith("number of items not stated")
    assert manifest.model.name == "model not stated" and manifest.condition.name is None and manifest.created is None
    assert manifest.versions["task mmlu"] is None and manifest.prompt_set.n is None


def test_a_group_without_a_figure_leaves_its_tasks_to_stand_for_themselves(tmp_path: Path) -> None:
    data = results()
    data["results"]["mmlu"] = {"alias": "mmlu"}
    names = list(read_results(write(tmp_path / "r.json", data))[1])
    assert "capability/mmlu_anatomy/acc" in names and not any(n.startswith("subtask/") for n in names)


def test_what_a_group_rests_on(tmp_path: Path) -> None:
    """Its version, where it has none, is that on which all its tasks agree; groups may name each other."""
    data = results()
    del data["versions"]["mmlu"]
    told = f"0 shots, {ITEMS} of {ITEMS} items"
    assert read_results(write(tmp_path / "a.json", data))[0].versions["task mmlu"] == f"version 1.0, {told}"
    data["versions"]["mmlu_virology"] = 2
    assert read_results(write(tmp_path / "b.json", data))[0].versions["task mmlu"] is None
    odd = results(group_subtasks={"mmlu": ["half", "mmlu_anatomy"], "half": ["mmlu_virology", "mmlu"]})
    manifest, figures = read_results(write(tmp_path / "c.json", odd))
    assert manifest.versions["task mmlu"] == f"version 2, {told}" and figures["capability/mmlu/acc"].total == ITEMS


def test_what_is_no_share_may_leave_0_to_1(tmp_path: Path) -> None:
    data = {"results": {"wikitext": {"word_perplexity,none": 9.5, "word_perplexity_stderr,none": 0.5}}}
    figures = read_results(write(tmp_path / "r.json", data))[1]
    e, half = figures["capability/wikitext/word_perplexity"], 1.959963984540054 * 0.5
    assert (e.low, e.high) == (pytest.approx(9.5 - half), pytest.approx(9.5 + half))


def test_a_system_instruction_and_a_template_are_hashes(tmp_path: Path) -> None:
    own = read_results(write(tmp_path / "a.json", results(system_instruction=BASELINE, chat_template="{{ x }}")))[0]
    assert own.condition.name == "baseline"  # ours, by its text
    assert str(own.versions["chat_template"]).startswith("sha256 ") and "{{ x }}" not in own.to_json()
    other = read_results(write(tmp_path / "b.json", results(system_instruction="Some made-up text.")))[0]
    assert other.condition.name == "a system instruction" and other.condition.system_sha256
    assert "made-up text" not in other.to_json()


@pytest.mark.parametrize(
    ("value", "flagged"), [(0.2297, True), (0.2628, True), (0.31, False), (0.84, False), (0.02, True)]
)
def test_a_score_at_chance_is_flagged(tmp_path: Path, value: float, flagged: bool) -> None:
    data = results()
    data["results"] = {"mmlu": {"acc,none": value, "acc_stderr,none": 0.0037}}
    manifest, figures = read_results(write(tmp_path / "r.json", data))
    assert (figures["capability/mmlu/acc"].reason == AT_CHANCE) is flagged
    assert (AT_CHANCE in str(manifest.source.note)) is flagged


def test_chance_is_known_for_few_tasks_only() -> None:
    assert (chance("mmlu_anatomy"), chance("winogrande"), chance("arc_easy")) == (0.25, 0.5, 0.25)
    assert chance("mmlu_pro") is chance("mmlu_pro_math") is chance("gsm8k") is chance("truthfulqa_mc1") is None


BAD = {
    "no JSON": ("{", "not valid UTF-8 JSON"),
    "half a character": ('{"results": {"t": {"acc,none": 0.5}}, "model_name": "\\ud83d"}', "half a character"),
    "no results": ({"config": {}}, "no `results` by task"),
    "no figure": ({"results": {"mmlu": {"alias": "mmlu"}}}, "no figure in `results`"),
    "an older layout": ({"results": {"mmlu": {"acc": 0.5}}}, "no figure in `results`"),
    "a list": ({"results": {"mmlu": {"acc,none": [1]}}}, "mmlu, 'acc,none': '[1]' is no number"),
    "hundreds of digits": ('{"results": {"mmlu": {"acc,none": 1' + "0" * 400 + "}}}", "is no number"),
    "a task that is none": ({"results": {"<b>x": {"acc,none": 1}}}, "'<b>x' is no task"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_one_line_and_nothing_is_written(tmp_path: Path, what: str) -> None:
    data, says = BAD[what]
    good, bad = write(tmp_path / "good.json", results()), write(tmp_path / "bad.json", data)
    with pytest.raises(ImportRefused):
        read_results(bad)
    result = run(tmp_path / "store", "import", "lm-eval", good, bad)
    assert result.exit_code == 1 and says in result.output and result.output.count("\n") == 1
    assert not (tmp_path / "store").exists()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with runs on items, and three capability runs: base, fine-tuned, and base behind a chat template."""
    folder = tmp_path_factory.mktemp("lm-eval")
    store = demo_like(folder)
    tuned = results(0.80, 0.80, model_name="made-up/tuned")
    files = [
        write(folder / "base.json", results()),
        write(folder / "tuned.json", tuned),
        write(folder / "templated.json", results(0.23, 0.7, chat_template="{{ x }}", model_name="made-up/templated")),
        write(folder / "again.json", results(0.24, 0.7, chat_template="{{ x }}", model_name="made-up/again")),
    ]
    done = run(store.root, "import", "lm-eval", *files)
    assert done.exit_code == 0 and done.output.count("imported ") == 4, done.output
    assert done.output.count(AT_CHANCE) == 2
    assert run(store.root, "import", "lm-eval", *files).output.count("unchanged ") == 4
    for path in (p for p in store.runs_dir.glob("lm-eval_*/figures.parquet")):
        assert {r["origin"] for r in pq.ParquetFile(path).read().to_pylist()} == {"imported"}
    return store


def test_runs_without_items_are_listed_and_compared(filled: Store) -> None:
    root = filled.root
    assert "made-up/tuned" in run(root, "runs").output
    assert run(root, "runs", "--cost").exit_code == 0
    result = run(root, "compare", "--baseline", "lm-eval_base", "--json")
    assert result.exit_code == 0, result.output
    (only,) = json.loads(result.output)["comparisons"]  # the others were measured behind a chat template
    rows = {r["measure"]: r for r in only["measures"]}
    assert list(rows) == ["capability/mmlu/acc", "capability/hellaswag/acc", "capability/hellaswag/acc_norm"]
    mmlu = rows["capability/mmlu/acc"]["difference"]
    # By hand: independent samples, so the standard errors add in squares.
    half = 1.959963984540054 * math.hypot(error(0.84, ITEMS), error(0.80, ITEMS))
    assert (mmlu["value"], mmlu["low"]) == (pytest.approx(-0.04), pytest.approx(-0.04 - half))
    assert rows["capability/hellaswag/acc_norm"]["difference"]["high"] < 0
    for options in ((), ("--detail",), ("--format", "latex"), ("--format", "markdown")):
        shown = run(root, "compare", "--baseline", "lm-eval_base", *options)
        assert shown.exit_code == 0 and "hellaswag" in shown.output, shown.output
    across = run(root, "compare", "lm-eval_templated", "--baseline", "lm-eval_base")
    assert across.exit_code == 1 and "chat template" in across.output
    flagged = run(root, "compare", "lm-eval_again", "--baseline", "lm-eval_templated")
    assert flagged.exit_code == 0 and f"mmlu, acc is {AT_CHANCE}" in flagged.output


def test_other_commands_do_not_stumble_over_them(filled: Store) -> None:
    root = filled.root
    board = load_board(filled)
    assert not board.damaged
    groups = [g for g in board.groups if "lm-evaluation-harness" in g.title]
    assert sorted(len(g.rows) for g in groups) == [2, 2]  # with a chat template, and without
    assert all(not r.ranked for g in groups for r in g.rows)
    assert {c.name for g in groups for c in g.columns} == {
        "capability/mmlu/acc", "capability/hellaswag/acc", "capability/hellaswag/acc_norm",
    }  # fmt: skip
    assert not any(g.beside for g in groups)
    noted = [r.label for g in groups for r in g.rows if f"mmlu, acc is {AT_CHANCE}" in r.warnings]
    assert sorted(noted) == ["made-up/again · none", "made-up/templated · none"]
    assert "hellaswag, acc_norm" in board_html(board)
    with_items = next(m.run_id for m in filled.manifests() if m.items and m.task == "psychosafe")
    mixed = run(root, "compare", "lm-eval_base", "--baseline", with_items)
    assert mixed.exit_code == 1 and "not comparable" in mixed.output and mixed.output.count("\n") == 1
    assert run(root, "compare", "--baseline", with_items).exit_code == 0
    refused = {
        ("agreement", "--runs", "lm-eval_base"): "share no criterion",
        ("compare", "--baseline", "lm-eval_base", "--overview"): "figures of whole benchmarks only",
        ("report", "--baseline", "lm-eval_base", "-o", root / "r.md"): "no answers; `compare` shows them",
    }
    for arguments, why in refused.items():
        result = run(root, *arguments)
        assert result.exit_code == 1 and why in result.output and result.output.count("\n") == 1, result.output
    exported = run(root, "leaderboard", "--export", root / "b.html")
    assert exported.exit_code == 0 and "hellaswag, acc_norm" in (root / "b.html").read_text(encoding="utf-8")
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs" / "results.json").write_text(json.dumps(results()))
    ingested = run(root, "ingest", root / "logs")
    assert ingested.exit_code == 1 and "not an Inspect log" in ingested.output
