"""Capability figures with their questions: pairing, alarms, and the change against a system's reference."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evals.capabilities import thinking_template
from evals.conditions import BASELINE, load_condition
from evals.tiny import CHAT_TEMPLATE
from judges.stats.proportions import paired_proportions
from leaderboard.board import load_board
from leaderboard.cli import main
from leaderboard.facts import CAPABILITY, NOT_MEASURED, capability_text
from results.capability import capability_changes, changes_between, leading, model_name, what_differs
from results.importers.lm_eval import AT_CHANCE, Asked, LmEvalRun, read_run, write_run
from results.importers.lm_eval_figures import THOUGHT
from results.importers.psychosafe import ImportRefused
from results.manifest import ConditionFacts, Manifest
from results.schema import HARNESS_RATER
from results.store import Store
from tests.support.made_runs import manifest, put

N = 40
NONE = ConditionFacts(name="none")
OWN = ConditionFacts(name="baseline", system_sha256=load_condition("baseline").sha256)
Scores = Mapping[str, Sequence[float]]


def sample(task: str, i: int, score: float, choices: int = 4, **changes: Any) -> dict[str, Any]:
    """A line as the harness logs it, with text that must not reach the store."""
    asked = {f"gen_args_{c}": {"arg_0": "SECRET question", "arg_1": f" answer {c}"} for c in range(choices)}
    return {
        "doc_id": i, "doc": {"question": "SECRET question"}, "target": "1", "arguments": asked, "filter": "none",
        "metrics": ["acc"], "doc_hash": f"{task}{i}".encode().hex().ljust(64, "0"), "acc": score,
    } | changes  # fmt: skip


def write(
    folder: Path, scores: Scores, *, logged: bool = True, choices: int = 4, group: str | None = None, **changes: Any
) -> Path:
    """A results file with its samples beside it, of tasks with one score a question."""
    folder.mkdir(parents=True, exist_ok=True)

    def figure(values: Sequence[float]) -> dict[str, Any]:
        mean = sum(values) / len(values)
        return {"alias": "x", "acc,none": mean, "acc_stderr,none": math.sqrt(mean * (1 - mean) / (len(values) - 1))}

    every = [v for values in scores.values() for v in values]
    data = {
        "results": ({group: figure(every)} if group else {}) | {t: figure(v) for t, v in scores.items()},
        "group_subtasks": {group: list(scores)} if group else {},
        "configs": {t: {"output_type": "multiple_choice"} for t in scores},
        "versions": dict.fromkeys([*scores, *([group] if group else [])], 1.0),
        "n-shot": dict.fromkeys(scores, 0),
        "n-samples": {t: {"original": len(v), "effective": len(v)} for t, v in scores.items()},
        "config": {"model": "hf", "model_args": {"pretrained": "vendor/made-up"}},
        "date": 1750000000.0, "lm_eval_version": "0.4.13", "git_hash": "abc", "chat_template": None,
        "system_instruction": None, "model_name": "vendor/made-up",
    } | changes  # fmt: skip
    path = folder / "results_2026-01-01T00-00-00.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    for task, values in scores.items() if logged else ():
        lines = [json.dumps(sample(task, i, v, choices)) for i, v in enumerate(values)]
        (folder / f"samples_{task}_2026-01-01T00-00-00.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return path


def right(n: int, of: int = N, start: int = 0) -> list[float]:
    return [float(start <= i < start + n) for i in range(of)]


def bring(store: Store, path: Path, asked: Asked | None = None) -> Manifest:
    run = read_run(path, asked)
    write_run(store, run)
    return run.manifest


def test_what_each_question_scored_is_kept_without_its_text(tmp_path: Path) -> None:
    path = write(tmp_path, {"own": right(30)})
    run = read_run(path)
    assert len(run.ratings) == N and run.notes == ()
    first = run.ratings[0]
    assert first["criterion"] == "capability/own/acc" and first["rater"] == HARNESS_RATER
    assert first["item_id"] == f"own/{b'own0'.hex().ljust(64, '0')[:16]}" and first["value"] == 1.0
    store = Store(tmp_path / "store")
    assert write_run(store, run) and not write_run(store, read_run(path))
    assert sum(store.values(run.manifest.run_id, HARNESS_RATER)["capability/own/acc"].values()) == 30
    told = b"".join(p.read_bytes() for p in store.root.rglob("*") if p.is_file())
    assert b"SECRET" not in told and run.manifest.items == () and run.manifest.origin == "imported"
    # Samples that came later complete the run, which is still one.
    bare = read_run(write(tmp_path / "bare", {"own": right(30)}, logged=False))
    assert bare.ratings == () and "independent samples" in bare.notes[0]


def test_a_run_that_was_made_here_is_measured(tmp_path: Path) -> None:
    path = write(tmp_path, {"own": right(30)}, system_instruction=BASELINE)
    run = read_run(path, Asked(OWN, model="made-up", base="vendor/base"))
    m = run.manifest
    assert (m.origin, m.kind, m.model.name, m.model.args["base"]) == ("measured", "model", "made-up", "vendor/base")
    assert m.run_id.startswith("lm-eval_made-up_baseline_") and {r["origin"] for r in run.ratings} == {"measured"}
    assert "git_hash" not in m.versions and m.versions["lm_eval"] == "0.4.13"  # a commit of whatever folder it ran in
    assert m.source.note == "lm-evaluation-harness 0.4.13, run here"
    # A revision as those who ran it call it, so that it is that of their other runs; what the harness found is kept.
    found = write(tmp_path / "sha", {"own": right(30)}, config={"model": "hf", "model_args": {}, "model_sha": "abc"})
    named = read_run(found, Asked(OWN, revision="v1")).manifest
    assert (named.model.revision, named.versions["weights"]) == ("v1", "abc")
    assert read_run(found, Asked(OWN)).manifest.model.revision == "abc"


@pytest.mark.parametrize("backend", ["peft", "lora_local_path"])
def test_a_model_with_an_adapter_is_called_by_it_and_knows_its_base(tmp_path: Path, backend: str) -> None:
    config = {"model": "hf", "model_args": {"pretrained": "vendor/made-up", backend: "/somewhere/tuned"}}
    m = read_run(write(tmp_path, {"own": right(30)}, config=config)).manifest
    assert m.model.name == "/somewhere/tuned" and m.model.args["base"] == "vendor/made-up"


def test_only_figures_that_were_measured_alike_are_compared(tmp_path: Path) -> None:
    """One task of two has another version; and a template makes another figure of both."""
    store, scores = Store(tmp_path / "store"), {"one": right(30), "two": right(20)}
    base = bring(store, write(tmp_path / "a", scores))
    later = write(tmp_path / "b", scores, versions={"one": 1.0, "two": 2.0}, model_name="vendor/later")
    newer = bring(store, later)
    (c,) = changes_between(store, newer, base)
    assert c.name == "capability/one/acc" and c.difference is not None and c.difference.value == 0.0
    assert c.as_dict()["difference"] == c.difference.as_dict() and c.as_dict()["figure"]["value"] == 0.75
    assert what_differs(store, newer, base) == ["task"]
    given = bring(store, write(tmp_path / "c", scores, chat_template="{{ x }}", model_name="vendor/given"))
    assert changes_between(store, given, base) == [] and what_differs(store, given, base) == ["chat template"]
    # On other tasks nothing is there to differ.
    other = bring(store, write(tmp_path / "d", {"three": right(30)}, model_name="vendor/other"))
    assert changes_between(store, other, base) == [] and what_differs(store, other, base) == ["tasks"]
    # What a file does not state is alike in no other file.
    bare = {"versions": {}, "chat_template": None, "model_name": "vendor/bare"}
    one, two = (bring(store, write(tmp_path / n, {"one": right(k)}, **bare)) for n, k in (("e", 30), ("f", 31)))
    assert changes_between(store, one, two) == [] and "import" in what_differs(store, one, two)


def test_questions_are_paired_and_the_interval_is_that_of_pairs(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    # 30 right, then 28 of which 26 are the same: 2 gained, 4 lost of 40.
    base = bring(store, write(tmp_path / "a", {"own": right(30)}))
    tuned = bring(store, write(tmp_path / "b", {"own": right(28, start=4)}, model_name="vendor/tuned"))
    (c,) = changes_between(store, tuned, base, margin=0.2)
    low, high = paired_proportions(2, 4, N)
    assert c.difference is not None and c.paired and c.difference.n == N
    assert (c.difference.value, c.difference.low, c.difference.high) == (
        pytest.approx(-0.05), pytest.approx(float(low)), pytest.approx(float(high))
    )  # fmt: skip
    assert -0.2 < low < 0 < high < 0.2 and (c.verdict, c.retained) == ("equivalent", True)
    assert [x.retained for x in changes_between(store, tuned, base, margin=0.02)] == [None]  # left open
    # The same questions without samples: as of independent samples, and wider.
    bare = bring(store, write(tmp_path / "c", {"own": right(28)}, logged=False, model_name="vendor/bare"))
    (u,) = changes_between(store, bare, base, margin=0.2)
    assert not u.paired and u.difference is not None and u.difference.low is not None
    half = 1.959963984540054 * math.hypot(*(math.sqrt(p * (1 - p) / (N - 1)) for p in (0.75, 0.7)))
    assert u.difference.low == pytest.approx(-0.05 - half) and u.retained is None
    shown = CliRunner().invoke(
        main, ["compare", tuned.run_id, "--baseline", base.run_id, "--store", str(store.root), "--json"]
    )
    (row,) = json.loads(shown.output)["comparisons"][0]["measures"]
    assert (
        row["difference"]["low"] == pytest.approx(float(low)) and row["difference"]["method"] == "paired score (Tango)"
    )


@pytest.mark.parametrize(
    ("gained", "lost", "verdict", "retained"),
    [(0, 0, "equivalent", True), (0, 8, "worse", True), (0, 60, "worse", False), (60, 0, "better", True),
     (0, 25, "worse", None)],
)  # fmt: skip
def test_no_worse_by_the_margin_is_read_off_the_interval(
    tmp_path: Path, gained: int, lost: int, verdict: str, retained: bool | None
) -> None:
    store, n = Store(tmp_path / "store"), 1000
    base = bring(store, write(tmp_path / "a", {"own": right(700, n)}))
    other = right(700 - lost + gained, n, start=lost)
    tuned = bring(store, write(tmp_path / "b", {"own": other}, model_name="vendor/tuned"))
    (c,) = changes_between(store, tuned, base, margin=0.02)
    assert (c.verdict, c.retained) == (verdict, retained), c.difference


def test_a_group_is_paired_over_the_questions_of_its_tasks(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    scores = {"one": right(8, 10), "two": right(20, 30)}
    base = read_run(write(tmp_path / "a", scores, group="both"))
    assert {r["criterion"] for r in base.ratings} == {"capability/both/acc"} and len(base.ratings) == 40
    write_run(store, base)
    tuned = bring(store, write(tmp_path / "b", scores, group="both", model_name="vendor/tuned"))
    (c,) = changes_between(store, tuned, base.manifest)
    assert c.difference is not None and (c.task, c.difference.n, c.difference.value) == ("both", 40, 0.0)
    # A group that weighs its tasks alike is no mean over questions: said, and not paired.
    data = json.loads(write(tmp_path / "c", scores, group="both").read_text())
    data["results"]["both"]["acc,none"] = (0.8 + 20 / 30) / 2
    (tmp_path / "c" / "results_2026-01-01T00-00-00.json").write_text(json.dumps(data))
    odd = read_run(tmp_path / "c" / "results_2026-01-01T00-00-00.json")
    assert odd.ratings == () and odd.notes == (
        "both, acc: no mean over the logged samples, so not paired on questions",
    )


def test_what_guessing_scores_is_told_by_the_answers_where_the_task_is_not_known(tmp_path: Path) -> None:
    def reason(name: str, n: int, **options: Any) -> str:
        return next(iter(read_run(write(tmp_path / name, {"own": right(n, 100)}, **options)).figures.values())).reason

    assert reason("quarter", 27) == AT_CHANCE and reason("above", 50) == ""
    assert reason("coin", 55, choices=2) == AT_CHANCE and reason("better", 65, choices=2) == ""
    assert reason("unknown", 27, logged=False) == ""
    # All right: the stated standard error of 0 is not believed, and not taken for chance.
    (e,) = read_run(write(tmp_path / "all", {"own": right(N)})).figures.values()
    assert e.value == 1.0 and e.low is not None and 0.85 < e.low < 1 and e.method.startswith("Wilson") and not e.reason


def test_likelihood_behind_a_thinking_template_is_marked(tmp_path: Path) -> None:
    def run(name: str, **changes: Any) -> LmEvalRun:
        return read_run(write(tmp_path / name, {"own": right(30)}, **changes))

    assert thinking_template(CHAT_TEMPLATE)
    (e,) = run("on", chat_template=CHAT_TEMPLATE).figures.values()
    assert e.reason == THOUGHT and run("on", chat_template=CHAT_TEMPLATE).alarms() == [f"own/acc is {THOUGHT}"]
    off = {"model": "hf", "model_args": {"pretrained": "vendor/made-up", "enable_thinking": False}}
    generated = {"own": {"output_type": "generate_until"}}
    for name, changes in {
        "off": {"chat_template": CHAT_TEMPLATE, "config": off}, "plain": {"chat_template": "{{ messages }}"},
        "generated": {"chat_template": CHAT_TEMPLATE, "configs": generated}, "none": {},
    }.items():  # fmt: skip
        assert next(iter(run(name, **changes).figures.values())).reason == "", name
    chat = run("server", chat_template="", config={"model": "local-chat-completions"})
    assert chat.manifest.versions["chat_template"] == "the server's"  # which the file does not know


BAD = {
    "no JSON": (["{"], "line 1: no JSON"),
    "no metrics": ([json.dumps({"doc_hash": "a" * 64})], "line 1: no sample with its `metrics`"),
    "a line of 16 MiB": (["x" * (2**24 + 1)], "line 1: longer than 16 MiB, no sample"),
    "no text": (["\udcff"], "cannot be read as UTF-8"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_of_samples_is_refused_and_nothing_is_written(tmp_path: Path, what: str) -> None:
    lines, says = BAD[what]
    path = write(tmp_path, {"own": right(30)})
    samples = tmp_path / "samples_own_2026-01-01T00-00-00.jsonl"
    samples.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    with pytest.raises(ImportRefused, match=says):
        read_run(path)
    result = CliRunner().invoke(main, ["import", "lm-eval", str(path), "--store", str(tmp_path / "store")])
    assert result.exit_code == 1 and result.output.count("\n") == 1 and not (tmp_path / "store").exists()


def test_questions_asked_twice_filters_and_samples_without_hashes(tmp_path: Path) -> None:
    path = write(tmp_path, {"own": [1.0, 0.0, 1.0, 1.0]})
    samples = tmp_path / "samples_own_2026-01-01T00-00-00.jsonl"
    same = [sample("own", 0, v) for v in (1.0, 0.0, 1.0, 1.0)]
    samples.write_text("\n \n".join(map(json.dumps, same)))
    items = sorted(r["item_id"] for r in read_run(path).ratings)
    assert len(items) == 4 and [i.partition("#")[2] for i in items] == ["", "2", "3", "4"]
    samples.write_text("\n".join(json.dumps(s | {"doc_hash": None}) for s in same))
    assert read_run(path).ratings == ()
    # A metric that is no number, as the parts of a perplexity, is no score of a question.
    samples.write_text("\n".join(json.dumps(s | {"acc": [0.5, 3]}) for s in same))
    assert read_run(path).ratings == ()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Runs on prompts of four systems and of one without benchmarks, and the benchmarks of the four."""
    folder = tmp_path_factory.mktemp("capability")
    store = Store(folder / "store")
    for n, (name, given) in enumerate(
        [("hf/made-up", NONE), ("vllm/vendor/made-up", OWN), ("hf/tuned", NONE), ("hf/tuned", OWN), ("hf/other", NONE)]
    ):
        m = manifest(name, given.name or "").model_copy(update={"condition": given, "run_id": f"run-{n}"})
        put(store, m, {"quality": [0.5] * len(m.items)})
    hundred = {"hellaswag": right(80, 100), "mmlu": right(70, 100)}
    worse = {"hellaswag": right(80, 100), "mmlu": right(60, 100)}
    base = {"config": {"model": "hf", "model_args": {"pretrained": "vendor/made-up", "peft": "vendor/tuned"}}}
    files: Iterable[tuple[str, Path]] = [
        ("base", write(folder / "base", hundred)),
        ("own", write(folder / "own", worse, system_instruction=BASELINE)),
        ("tuned", write(folder / "tuned", worse, **base)),
        ("at chance", write(folder / "chance", {"mmlu": right(24, 100)}, system_instruction=BASELINE, **base)),
    ]
    for _, path in files:
        bring(store, path)
    return store


def test_each_system_is_compared_with_its_reference(filled: Store) -> None:
    runs = [m for m in filled.manifests() if m.items]
    found = capability_changes(filled, runs)
    assert sorted(found) == ["run-0", "run-1", "run-2", "run-3"]
    for run_id in ("run-1", "run-2"):  # under a condition; and a fine-tune, against its base
        changes = {c.task: c for c in found[run_id]}
        mmlu = changes["mmlu"]
        assert mmlu.reference == next(
            m.run_id for m in filled.manifests() if m.run_id.startswith("lm-eval_made-up_none")
        )
        assert mmlu.difference is not None and mmlu.difference.value == pytest.approx(-0.1) and mmlu.paired
        hellaswag = changes["hellaswag"].difference
        assert mmlu.verdict == "worse" and hellaswag is not None and (hellaswag.value, hellaswag.n) == (0.0, 100)
    assert all(c.difference is None for c in found["run-0"])  # it is the reference
    (chance,) = found["run-3"]
    assert chance.alarm == AT_CHANCE and chance.retained is None and chance.verdict == "not tested"


def test_the_change_stands_in_the_row_of_the_board(filled: Store) -> None:
    cells = {r.run_id: r.facts[CAPABILITY] for g in load_board(filled).groups for r in g.rows if r.facts}
    low, high = (float(x) for x in paired_proportions(0, 10, 100))
    assert cells["run-1"] == cells["run-2"]
    assert cells["run-1"].endswith(f"mmlu -0.100 [{low:.3f}, {high:.3f}]") and "hellaswag 0.000 [" in cells["run-1"]
    assert cells["run-0"] == "hellaswag 0.800, nothing to compare with; mmlu 0.700, nothing to compare with"
    assert cells["run-3"] == "mmlu at chance" and cells["run-4"] == NOT_MEASURED
    assert capability_text(()) == NOT_MEASURED


def test_the_leading_metric_and_the_name_of_a_model() -> None:
    assert (
        model_name("hf/tiny-base")
        == model_name("/somewhere/Tiny-Base/")
        == model_name("vendor/tiny-base")
        == "tiny-base"
    )
    assert model_name("vllm/vendor/base:vendor/tuned") == "tuned" and model_name("ollama/made:8b") == "made:8b"


class _Unread(Store):
    """A store none of whose figures and ratings may be read."""

    def figures(self, run_id: str) -> Any:
        raise AssertionError(run_id)

    def values(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError(args)


def test_without_benchmarks_no_file_of_a_run_is_read(tmp_path: Path) -> None:
    store = _Unread(tmp_path / "store")
    m = put(store, manifest("vendor/made-up"), {"quality": [0.5] * 12})
    assert capability_changes(store, [m]) == {}


def test_of_several_metrics_one_leads(tmp_path: Path) -> None:
    data = json.loads(write(tmp_path, {"own": right(30)}).read_text())
    data["results"]["own"] |= {"acc_norm,none": 0.8, "acc_norm_stderr,none": 0.05, "bits,none": 2.0, "f1,none": "N/A"}
    (tmp_path / "results_2026-01-01T00-00-00.json").write_text(json.dumps(data))
    store = Store(tmp_path / "store")
    bring(store, tmp_path / "results_2026-01-01T00-00-00.json")
    run = put(store, manifest("x/made-up").model_copy(update={"condition": NONE}), {"quality": [0.5] * 12})
    twins = put(store, manifest("x/made-up", twins=True).model_copy(update={"condition": NONE}), {})
    found = capability_changes(store, [run, twins])
    changes = found[run.run_id]
    assert found[twins.run_id] == changes, "another run of the system"
    assert {c.metric for c in changes} == {"acc", "acc_norm", "bits"} and [c.metric for c in leading(changes)] == [
        "acc_norm"
    ]
