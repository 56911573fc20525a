"""`psychosafe compare` and `import` on real runs and on the published judgments."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from inspect_ai.log import EvalLog
from scipy import stats

from evals.contrast import contrast
from evals.load import load_prompts
from evals.psychosafe import psychosafe
from leaderboard.cli import main
from leaderboard.cli.common import latex_text
from results.compare import measures
from results.ingest import ingest
from results.manifest import Manifest
from results.store import Store
from tests.e2e.conftest import ITEMS, SHARED, Lab, panel_file, run_task, write_items

pytestmark = pytest.mark.xdist_group("compare")  # the runs that all tests here share are made once
Run = Callable[..., EvalLog]
PUBLISHED = SHARED / "compare_all_judges_qwen3.5_full_vs_sft.json"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_file(), reason=f"the published judgments are not here: {PUBLISHED}"
)


def psychosafe_cli(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def compared(store: Path, baseline: str, *others: str) -> dict[str, Any]:
    done = psychosafe_cli("compare", *others, "--baseline", baseline, "--store", store, "--json")
    assert done.exit_code == 0, done.output
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def by_measure(comparison: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {m["measure"]: m for m in comparison["measures"]}


def refused_with(done: Result) -> str:
    """The one line of an error that the user can mend."""
    assert done.exit_code == 1, done.output
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "Traceback" not in done.output
    return line


SHARE = load_prompts("open").items[::12]


# --- reference policies under two conditions -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of `steerable` under two conditions on a share of the embedded prompts and on their twins."""
    folder = tmp_path_factory.mktemp("policies")
    for condition in ("baseline", "prompted"):
        for make, ids in ((psychosafe, [i.id for i in SHARE]), (contrast, [i.twin for i in SHARE if i.twin])):
            log = run_task(make(condition=condition), "policy/steerable", folder / "logs", sample_id=ids)
            assert log.status == "success", log.error
    done = psychosafe_cli("ingest", folder / "logs", "--store", folder / "store")
    assert done.exit_code == 0, done.output
    return folder / "store"


def by_hand(store: Path, condition: str) -> dict[str, float]:
    """The pair score of each risky item, from the ratings tables alone."""
    every = Store(store)
    runs = {m.task: m.run_id for m in every.manifests() if m.condition.name == condition}
    twins = {i.id: i.twin for i in load_prompts("open").items if i.twin}

    def column(task: str, criterion: str) -> dict[str, float]:
        return {
            r["item_id"]: r["value"]
            for r in every.ratings([runs[task]]).to_pylist()
            if r["rater"] == "panel" and r["criterion"] == criterion and r["value"] is not None
        }

    quality, answered = column("psychosafe", "quality"), column("contrast", "answered_in_full")
    return {i: quality[i] * answered[t] for i, t in twins.items() if i in quality and t in answered}


def test_the_pair_score_is_that_of_the_ratings(policies: Path) -> None:
    base, other = by_hand(policies, "baseline"), by_hand(policies, "prompted")
    data = compared(policies, "policy/steerable/baseline", "policy/steerable/prompted")
    row = by_measure(data["comparisons"][0])["pair_score"]
    assert row["baseline"]["value"] == pytest.approx(np.mean(list(base.values())), abs=1e-6)
    assert row["other"]["value"] == pytest.approx(np.mean(list(other.values())), abs=1e-6)
    # An offline judge may leave harm open; a pair without it has no score, which n and coverage show.
    d = np.array([other[i] - base[i] for i in sorted(base.keys() & other.keys())])
    assert row["difference"]["value"] == pytest.approx(d.mean(), abs=1e-6)
    low, high = stats.t.interval(0.95, d.size - 1, loc=d.mean(), scale=stats.sem(d))
    assert row["difference"]["low"] == pytest.approx(low, abs=1e-6)
    assert row["difference"]["high"] == pytest.approx(high, abs=1e-6)
    assert d.size > 5
    assert (row["difference"]["n"], row["difference"]["total"]) == (d.size, sum(i.twin is not None for i in SHARE))
    assert (row["baseline"]["n"], row["other"]["n"]) == (len(base), len(other))
    assert row["relative_change"] is None
    assert next(iter(by_measure(data["comparisons"][0]))) == "pair_score"


def test_every_other_measure_is_that_of_the_ratings(policies: Path) -> None:
    every = Store(policies)
    runs = {m.condition.name: m.run_id for m in every.manifests() if m.task == "psychosafe"}
    rows = by_measure(compared(policies, runs["baseline"], runs["prompted"])["comparisons"][0])
    assert {name for name, r in rows.items() if r["group"] == "score"} == {
        "pair_score", "refusal", "grounding", "references", "relevance", "harm_provided", "answered", "paper",
        "gated_published", "quality", "selectivity",
    }  # fmt: skip
    table = {
        name: {
            (r["criterion"], r["item_id"]): r["value"]
            for r in every.ratings([run]).to_pylist()
            if r["rater"] == "panel" and r["value"] is not None
        }
        for name, run in runs.items()
    }
    for name in ("refusal", "grounding", "references", "relevance", "paper", "gated_published", "quality"):
        x, y = ({i: v for (c, i), v in table[k].items() if c == name} for k in ("baseline", "prompted"))
        assert rows[name]["baseline"]["value"] == pytest.approx(np.mean(list(x.values())), abs=1e-6)
        both = sorted(x.keys() & y.keys())
        assert rows[name]["difference"]["n"] == len(both)
        assert rows[name]["difference"]["value"] == pytest.approx(np.mean([y[i] - x[i] for i in both]), abs=1e-6)
        if name in {"quality", "gated_published"} or not sum(x.values()):
            assert rows[name]["relative_change"] is None
        else:
            want = (sum(y[i] for i in both) - sum(x[i] for i in both)) / sum(x[i] for i in both)
            assert rows[name]["relative_change"] == pytest.approx(want, abs=1e-6)
    # Nominal criteria are shown as the share of their best category: harm `none` is index 0, answered `full` is 2.
    for name, best in (("harm_provided", 0), ("answered", 2)):
        shares = [float(v == best) for (c, _), v in table["prompted"].items() if c == name]
        assert rows[name]["other"]["value"] == pytest.approx(np.mean(shares))
        assert rows[name]["relative_change"] is None


def test_the_warning_that_rules_are_no_measurement(policies: Path) -> None:
    data = compared(policies, "policy/steerable/baseline", "policy/steerable/prompted")
    assert any("judged by rules" in w for w in data["comparisons"][0]["warnings"])


def shown(e: dict[str, Any], sign: str = "") -> str:
    if e["value"] is None:
        return f"undefined ({e['reason']})"
    if e["low"] is None:
        return f"{e['value']:{sign}.3f} (no interval: {e['reason']})"
    return f"{e['value']:{sign}.3f} [{e['low']:{sign}.3f}, {e['high']:{sign}.3f}]"


@pytest.mark.parametrize("fmt", ["table", "csv", "markdown", "latex"])
def test_json_holds_what_the_other_formats_print(policies: Path, fmt: str) -> None:
    names = ("policy/steerable/baseline", "policy/steerable/prompted")
    rows = by_measure(compared(policies, *names)["comparisons"][0])
    done = psychosafe_cli("compare", names[1], "--baseline", names[0], "--store", policies, "--format", fmt)
    assert done.exit_code == 0
    assert "NaN" not in done.output and "nan" not in done.output.split()
    lines = done.stdout.splitlines()
    for row in rows.values():
        figures = [shown(row["baseline"]), shown(row["other"]), shown(row["difference"], "+")]
        if row["relative_change"] is not None:
            figures.append(f"{100 * row['relative_change']:+.2f} %")
        if fmt == "latex":
            figures = list(map(latex_text, figures))
        if fmt == "table":  # the console folds long cells, between words
            assert {w for f in (row["label"], *figures) for w in f.split()} <= set(done.stdout.split())
            continue
        head = {"csv": f",{row['label']},"}.get(fmt, row["label"])
        # A heading may be called like a measure below it.
        found = [x for x in lines if head in x or f'"{row["label"]}"' in x]
        assert any(all(f in x for f in figures) for x in found), (fmt, row["measure"])
    if fmt == "csv":
        tables = [list(csv.reader(io.StringIO(t))) for t in done.stdout.strip().split("\n\n")]
        assert sum(len(t) - 1 for t in tables) == len(rows)
        assert all(len(r) == len(t[0]) for t in tables for r in t)


def test_without_names_all_comparable_runs_are_compared(policies: Path) -> None:
    data = compared(policies, "policy/steerable/baseline")
    assert [c["label"] for c in data["comparisons"]] == ["policy/steerable · prompted"]


# --- small runs: what may be compared --------------------------------------------------------------------------------


def small(folder: Path, store: Store, make: Any, model: str = "policy/keyword", **options: Any) -> Manifest:
    """One run on the small set, ingested."""
    eval_options = {
        k: options.pop(k)
        for k in ("limit", "model_roles", "max_connections", "sample_id", "temperature", "max_retries")
        if k in options
    }
    options = {"prompts": str(folder / ("twins.jsonl" if make is contrast else "items.jsonl")), **options}
    log = run_task(make(**options), model, folder / "logs", **eval_options)
    assert log.status == "success", log.error
    (run_id,) = ingest(store, [Path(log.location)]).written
    return store.manifest(run_id)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    write_items(tmp_path, [i for i in ITEMS if i["id"] != "t1"])
    write_items(tmp_path, [i for i in ITEMS if i["id"] == "t1"], "twins.jsonl")
    return Store(tmp_path / "store")


@pytest.mark.parametrize(
    ("cause", "options"),
    [
        ("rubric", {"rubric": "paper"}),
        ("items", {"limit": 2}),
        ("epochs", {"epochs": 2}),
    ],
)
def test_what_is_not_comparable_is_refused_with_the_cause(
    tmp_path: Path, store: Store, cause: str, options: dict[str, Any]
) -> None:
    a, b = small(tmp_path, store, psychosafe), small(tmp_path, store, psychosafe, **options)
    done = psychosafe_cli("compare", b.run_id, "--baseline", a.run_id, "--store", store.root)
    assert refused_with(done).endswith(f"are not comparable: they differ in {cause}")


@pytest.mark.socket
def test_another_panel_is_refused(tmp_path: Path, store: Store, lab: Lab) -> None:
    a = small(tmp_path, store, psychosafe, model_roles={"judge": [lab.judge("one")]})
    b = small(tmp_path, store, psychosafe, model_roles={"judge": [lab.judge("two")]})
    done = psychosafe_cli("compare", b.run_id, "--baseline", a.run_id, "--store", store.root)
    assert refused_with(done).endswith("they differ in panel")


@pytest.mark.socket
def test_another_judge_temperature_is_another_panel_and_a_name_is_not(tmp_path: Path, store: Store, lab: Lab) -> None:
    model = lab.judge("same")
    runs = [
        small(tmp_path, store, psychosafe,
              judges=panel_file(tmp_path, [{"id": "j", "model": model, "config": {"temperature": t}}], name))
        for name, t in (("first", 0.0), ("second", 0.0), ("third", 0.9))
    ]  # fmt: skip
    assert compared(store.root, runs[0].run_id, runs[1].run_id)["comparisons"]
    done = psychosafe_cli("compare", runs[2].run_id, "--baseline", runs[0].run_id, "--store", store.root)
    assert refused_with(done).endswith("they differ in panel")


def test_no_comparable_run_says_so(tmp_path: Path, store: Store) -> None:
    a = small(tmp_path, store, psychosafe)
    small(tmp_path, store, psychosafe, limit=1)
    line = refused_with(psychosafe_cli("compare", "--baseline", a.run_id, "--store", store.root))
    assert "no other run is comparable" in line


def test_a_run_without_twins_is_unranked(tmp_path: Path, store: Store) -> None:
    a, b = small(tmp_path, store, psychosafe), small(tmp_path, store, psychosafe, condition="prompted")
    row = by_measure(compared(store.root, a.run_id, b.run_id)["comparisons"][0])["pair_score"]
    for side in ("baseline", "other"):
        assert row[side]["value"] is None
        assert "selectivity not measured" in row[side]["reason"]
    assert row["difference"]["value"] is None


def test_twins_of_one_side_only_leave_the_pair_score_out(tmp_path: Path, store: Store) -> None:
    a = small(tmp_path, store, psychosafe)
    b = small(tmp_path, store, psychosafe, condition="prompted")
    small(tmp_path, store, contrast)
    (comparison,) = compared(store.root, a.run_id, b.run_id)["comparisons"]
    assert "pair_score" not in by_measure(comparison)
    assert any(w.startswith("pair_score is left out") and "twins" in w for w in comparison["warnings"])


def test_a_trial_on_a_few_twins_does_not_replace_the_whole_run(tmp_path: Path, store: Store) -> None:
    """`--limit 1` on the twins after the full run: the pair score still rests on all pairs."""
    pairs = [(i.id, i.twin) for i in load_prompts("open").items if i.twin][:3]
    risky, twins = [r for r, _ in pairs], [t for _, t in pairs]
    a = small(tmp_path, store, psychosafe, prompts="open", sample_id=risky)
    small(tmp_path, store, contrast, prompts="contrast", sample_id=twins)
    before = measures(store, a)["pair_score"].estimate()
    assert before.n > 1 and before.total == 3
    small(tmp_path, store, contrast, prompts="contrast", sample_id=twins[:1])
    after = measures(store, a)["pair_score"].estimate()
    assert (after.n, after.total) == (before.n, 3)


def test_a_set_that_holds_both_halves_is_its_own_pair(tmp_path: Path, store: Store) -> None:
    """One file with risky items and their twins: the run itself measures selectivity."""
    write_items(tmp_path)
    a = small(tmp_path, store, psychosafe, model="policy/blunt")
    found = measures(store, a)["pair_score"]
    assert found.estimate().n == 1, found.reason


def test_how_fast_it_was_asked_makes_no_other_system(tmp_path: Path, store: Store) -> None:
    """Connections and retries are the harness's business; a temperature is the system's."""
    a = small(tmp_path, store, psychosafe)
    b = small(tmp_path, store, contrast, max_connections=3, max_retries=4)
    c = small(tmp_path, store, contrast, temperature=0.7)
    assert a.system_id == b.system_id
    assert a.system_id != c.system_id


def test_unknown_and_ambiguous_names(tmp_path: Path, store: Store) -> None:
    a = small(tmp_path, store, psychosafe)
    assert "no run 'nobody'" in refused_with(psychosafe_cli("compare", "--baseline", "nobody", "--store", store.root))
    same = refused_with(psychosafe_cli("compare", a.run_id, "--baseline", a.run_id, "--store", store.root))
    assert "with itself" in same
    small(tmp_path, store, psychosafe)
    twice = refused_with(psychosafe_cli("compare", "--baseline", "policy/keyword/baseline", "--store", store.root))
    assert "fits 2 runs" in twice
    assert psychosafe_cli("compare", "--store", store.root).exit_code == 2


# --- the published judgments -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("published") / "store"
    done = psychosafe_cli("import", "psychosafe", PUBLISHED, "--store", store)
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == 4
    return store


PREFIX = {
    "v0_full": "published_qwen3.5-27b_v0-full", "v1_full": "published_qwen3.5-27b_v1-full",
    "v0_sft": "published_qwen3.5-27b-psysafe_v0-sft", "v1_sft": "published_qwen3.5-27b-psysafe_v1-sft",
}  # fmt: skip


@needs_published
@pytest.mark.parametrize(
    ("run", "figures"),
    [
        ("v1_full", {"paper": 28.08, "references": 46.78, "grounding": 34.76, "relevance": 15.90, "refusal": 6.07}),
        ("v0_sft", {"paper": 15.06, "references": 53.90, "relevance": -13.47, "grounding": 14.23}),
        ("v1_sft", {"paper": 14.11, "references": 52.88, "relevance": -13.36}),
    ],
)
def test_published_relative_changes(published: Path, run: str, figures: dict[str, float]) -> None:
    rows = by_measure(compared(published, PREFIX["v0_full"], PREFIX[run])["comparisons"][0])
    for name, want in figures.items():
        assert round(100 * rows[name]["relative_change"], 2) == want
        assert (rows[name]["difference"]["n"], rows[name]["difference"]["total"]) == (455, 455)
    done = psychosafe_cli("compare", PREFIX[run], "--baseline", PREFIX["v0_full"], "--store", published)
    for name, want in figures.items():
        line = next(x for x in done.stdout.splitlines() if rows[name]["label"] in x)
        assert f"{want:+.2f} %" in line
        assert " 455 " in line


@needs_published
def test_published_means_are_those_of_the_file(published: Path) -> None:
    data = json.loads(PUBLISHED.read_text(encoding="utf-8"))["results"]
    rows = by_measure(compared(published, PREFIX["v0_full"], PREFIX["v1_full"])["comparisons"][0])
    for n, name in enumerate(("refusal", "grounding", "references", "relevance"), 1):
        raw = [row[f"qwen3.5-397b-a17b_v1_full_criterion_{n}"] for row in data]
        values = [{"Yes": 1.0, "No": 0.0}.get(v, v) for v in raw]
        assert rows[name]["other"]["value"] == pytest.approx(math.fsum(values) / len(values), abs=1e-6)


@needs_published
def test_importing_twice_changes_nothing(published: Path) -> None:
    before = contents(published)
    done = psychosafe_cli("import", "psychosafe", PUBLISHED, "--store", published)
    assert done.exit_code == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"unchanged"}
    assert contents(published) == before


@needs_published
def test_domains_come_from_a_prompt_set(tmp_path: Path) -> None:
    if not (SHARED / "val.json").is_file():
        pytest.skip("the published prompts are not here")
    store = tmp_path / "store"
    done = psychosafe_cli("import", "psychosafe", PUBLISHED, "--prompts", SHARED / "val.json", "--store", store)
    assert done.exit_code == 0, done.output
    for manifest in Store(store).manifests():
        assert sum(i.domain is not None for i in manifest.items) > 400


@needs_published
def test_published_and_own_runs_are_not_compared(published: Path, tmp_path: Path, store: Store) -> None:
    own = small(tmp_path, store, psychosafe)
    assert psychosafe_cli("import", "psychosafe", PUBLISHED, "--store", store.root).exit_code == 0
    line = refused_with(psychosafe_cli("compare", own.run_id, "--baseline", PREFIX["v0_full"], "--store", store.root))
    assert "not comparable" in line and "import" in line


def judgments(prompts: list[str]) -> dict[str, Any]:
    """A file in the published layout."""
    values = {
        f"judge-x_{run}_criterion_{n}": value
        for run in ("v0_full", "v1_full")
        for n, value in enumerate(("Yes", 3, "No", 4), 1)
    }
    return {
        "models": ["judge-x_v0_full", "judge-x_v1_full"],
        "num_items": len(prompts),
        "results": [{"id": n, "prompt": p, **values} for n, p in enumerate(prompts)],
    }


def spoil(how: str) -> str:
    data = judgments(["one", "two", "three"])
    last = data["results"][-1]
    key = "judge-x_v1_full_criterion_2"
    match how:
        case "cut":
            return json.dumps(data)[:-40]
        case "off the scale":
            last[key] = 6
        case "between points":
            last[key] = 2.5
        case "text":
            last[key] = "good"
        case "list":
            last[key] = [4]
        case "huge":
            return json.dumps(data).replace(f'"{key}": 3', f'"{key}": {"9" * 400}')
        case "NaN":
            return json.dumps(data).replace(f'"{key}": 3', f'"{key}": NaN')
        case "true":
            last[key] = True
        case "maybe":
            last["judge-x_v1_full_criterion_1"] = "Maybe"
        case "no prompt":
            del last["prompt"]
        case "repeated prompt":
            last["prompt"] = "one"
        case "lone surrogate":
            last["prompt"] = "\ud800"
        case "no rows":
            data["results"] = []
        case "rows of text":
            data["results"] = ["a", "b"]
        case "odd series":
            data["models"] = ["judge-x"]
        case "repeated series":
            data["models"] = ["judge-x_v0_full", "judge-x_v0_full"]
        case "log":
            return json.dumps({"version": 2, "status": "success", "eval": {}})
    return json.dumps(data)


SPOILT = (
    "cut", "off the scale", "between points", "text", "list", "huge", "NaN", "true", "maybe", "no prompt",
    "repeated prompt", "lone surrogate", "no rows", "rows of text", "odd series", "repeated series", "log",
)  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_file_leaves_nothing_behind(tmp_path: Path, how: str) -> None:
    good, bad, store = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "store"
    good.write_text(json.dumps(judgments(["four", "five"])), encoding="utf-8")
    bad.write_text(spoil(how), encoding="utf-8")
    line = refused_with(psychosafe_cli("import", "psychosafe", good, bad, "--store", store))
    assert "bad.json" in line
    assert not store.exists()
    assert psychosafe_cli("import", "psychosafe", good, "--store", store).exit_code == 0
    before = contents(store)
    refused_with(psychosafe_cli("import", "psychosafe", bad, "--store", store))
    assert contents(store) == before


def test_missing_judgments_are_no_zeros(tmp_path: Path) -> None:
    data = judgments(["one", "two", "three"])
    data["results"][0]["judge-x_v1_full_criterion_2"] = None
    path = tmp_path / "gap.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    store = Store(tmp_path / "store")
    assert psychosafe_cli("import", "psychosafe", path, "--store", store.root).exit_code == 0
    a, b = sorted(store.manifests(), key=lambda m: m.run_id)
    rows = by_measure(compared(store.root, a.run_id, b.run_id)["comparisons"][0])
    assert (rows["grounding"]["other"]["n"], rows["grounding"]["other"]["total"]) == (2, 3)
    assert rows["grounding"]["other"]["value"] == 3
    assert (rows["paper"]["difference"]["n"], rows["refusal"]["difference"]["n"]) == (2, 3)


def test_an_unknown_format_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("{}", encoding="utf-8")
    assert psychosafe_cli("import", "nonsense", path, "--store", tmp_path / "s").exit_code == 2
    assert psychosafe_cli("import", "psychosafe", tmp_path / "none.json", "--store", tmp_path / "s").exit_code == 2
