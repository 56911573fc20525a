"""People's ratings from annotation tools and from the PsychoSafe layout, and answers that are described on import."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from judges.describe import DESCRIBE_VERSION, describe
from judges.detectors import DESCRIBED
from results.extras import TEXT, extra_measures
from results.importers.people_runs import Runs
from results.importers.psychosafe import ImportRefused, read_judgments
from results.importers.psychosafe_humans import clean
from results.schema import DESCRIBE_RATER
from results.store import Store
from tests.support.people import (
    CRITERIA,
    PROMPTS,
    answer,
    contents,
    import_cli,
    import_judgments,
    judgments,
    people_rows,
)

DATA = Path(__file__).parents[2].parent / "shared/data/psychosafe/validation"
USER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
OTHER = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return judgments(tmp_path)


@pytest.fixture
def store(file: Path, tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    import_judgments(store, file)
    return store


@pytest.fixture
def ids(store: Store) -> dict[str, str]:
    """Run id by run name."""
    return {str(m.source.note).removeprefix("run "): m.run_id for m in store.manifests()}


@pytest.fixture
def items(store: Store, ids: dict[str, str]) -> list[str]:
    return [Runs(store).items_of(ids["v0"], prompt)[0] for prompt in PROMPTS]


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def refused(done: Any) -> str:
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.output
    (line,) = done.stderr.splitlines()
    assert done.stdout == ""
    return str(line)


def slot(prompt: str, text: str, values: tuple[Any, ...], key: str = "criterion") -> dict[str, Any]:
    return {"prompt": prompt, "answer": text} | {f"{key}_{n}": v for n, v in enumerate(values, 1)}


def pairs(folder: Path, rows: list[Any], name: str = "annotated_responses.json") -> Path:
    return write(folder / name, {"paired_responses": rows, "num_pairs": len(rows)})


def blinded() -> list[dict[str, Any]]:
    """Three pairs: v0 in a, in b (in the merged variant's keys), in a."""
    one, two = ("Yes", 3, "No", 4), ("No", 5, "Yes", None)
    return [
        {"pair_id": "p0", "a": slot(PROMPTS[0], f"  {answer('v0', 0)}\n", one),
         "b": slot(PROMPTS[0], answer("v1", 0).replace("\n", "\r\n"), two)},
        {"pair_id": "p1", "a": slot(PROMPTS[1], answer("v1", 1) + "<|im_end|>", two, "criteria"),
         "b": slot(PROMPTS[1], answer("v0", 1), one, "criteria") | {"criterion_2": 3}},
        {"pair_id": "p2", "a": slot(PROMPTS[2], answer("v0", 2), one), "b": slot(PROMPTS[2], answer("v1", 2), two)},
    ]  # fmt: skip


def told(store: Store, ids: Mapping[str, str]) -> set[tuple[str, str, str, float | None, str | None]]:
    names = {i: n for n, i in ids.items()}
    return {(names[r["run_id"]], r["item_id"], r["criterion"], r["value"], r["status"]) for r in people_rows(store)}


def wanted(items: list[str]) -> set[tuple[str, str, str, float | None, str | None]]:
    values = {"v0": (1.0, 3.0, 0.0, 4.0), "v1": (0.0, 5.0, 1.0, None)}
    return {
        (run, item, c, v, None if v is None else "ok")
        for item in items
        for run, said in values.items()
        for c, v in zip(CRITERIA, said, strict=True)
    }


def test_blinded_pairs_by_text_and_by_trace(
    store: Store, file: Path, ids: dict[str, str], items: list[str], tmp_path: Path
) -> None:
    path = pairs(tmp_path, blinded())
    done = import_cli(store, "psychosafe-humans", path, "--answers", file, "--rater", "Anna")
    assert done.exit_code == 0, done.output
    assert told(store, ids) == wanted(items)
    assert {r["rater"] for r in people_rows(store)} == {"Anna"}
    # The same by a trace, for another person: by pair id, by prompt, and with the id of a run.
    trace = write(
        tmp_path / "trace.json",
        {"p0": {"a": "v0", "b": "v1"}, PROMPTS[1]: {"a": ids["v1"], "b": "v0"}, "p2": {"a": "v0", "b": ids["v1"]}},
    )
    second = pairs(tmp_path, [*blinded()], "second.json")
    assert import_cli(store, "psychosafe-humans", second, "--trace", trace).exit_code == 0
    assert told(store, ids) == wanted(items)
    assert Counter(r["rater"] for r in people_rows(store)) == {"Anna": 24, "person 1": 24}


def test_the_authors_own_trace_and_merged_file(
    store: Store, file: Path, ids: dict[str, str], items: list[str], tmp_path: Path
) -> None:
    by_text = pairs(tmp_path, blinded())
    assert import_cli(store, "psychosafe-humans", by_text, "--answers", file, "--rater", "Anna").exit_code == 0
    truth = {(r["item_id"], r["run_id"], r["criterion"]): r["value"] for r in people_rows(store)}
    known = {run: name for name, run in ids.items()}
    splits, rows = [], []
    for n, pair in enumerate(blinded()):
        for place in "ab":
            part = pair[place]
            given = [part.get(f"criterion_{c}", part.get(f"criteria_{c}")) for c in range(1, 5)]
            split = "v0" if clean(pair[place]["answer"]) == clean(answer("v0", n)) else "v1"
            splits.append({"id": f"{pair['pair_id']}_{place}", "slot": place, "source_split": split})
            rows.append({"source_split": split, "full_example": {"prompt": PROMPTS[n]},
                         **{f"criteria_{c}": v for c, v in enumerate(given, 1)}})  # fmt: skip
    assert {s["source_split"] for s in splits} == set(known.values())
    trace = write(tmp_path / "trace.json", {"random_seed": 1, "mapping": splits})
    again = pairs(tmp_path, blinded(), "again.json")
    assert import_cli(store, "psychosafe-humans", again, "--trace", trace, "--rater", "Ben").exit_code == 0
    merged = write(tmp_path / "merged.json", {"num_rows": len(rows), "rows": rows})
    done = import_cli(store, "psychosafe-humans", merged, "--rater", "Cleo")
    assert done.exit_code == 0, done.output
    for who in ("Ben", "Cleo"):
        mine = {
            (r["item_id"], r["run_id"], r["criterion"]): r["value"] for r in people_rows(store) if r["rater"] == who
        }
        assert mine == truth
    rows[0]["source_split"], rows[1]["full_example"] = "v7", {}
    bad = write(tmp_path / "bad.json", {"rows": rows})
    assert "no run 'v7' in the store" in refused(import_cli(store, "psychosafe-humans", bad, "--rater", "Dan"))


def test_pairs_that_cannot_be_told_apart_are_refused_by_row(store: Store, file: Path, tmp_path: Path) -> None:
    rows = blinded()
    spoilt: list[tuple[Any, str]] = [
        (rows[0] | {"a": rows[0]["b"]}, "pair 1: both answers are that of v1"),
        (rows[1] | {"b": slot(PROMPTS[1], "another text", ())}, "pair 2: the answer in b is not in"),
        (rows[2] | {"b": slot("another prompt", "x", ())}, "pair 3: its two slots answer different prompts"),
        ({"a": slot("unknown", "x", ()), "b": slot("unknown", "y", ())}, "pair 4: its prompt is not in"),
        ([], "pair 5: no `a` and `b`"),
    ]
    path = pairs(tmp_path, [p for p, _ in spoilt])
    assert "5 of 5 ratings" in refused(import_cli(store, "psychosafe-humans", path, "--answers", file))
    trace = {
        "p0": {"a": "v0", "b": "v1"}, PROMPTS[0]: {"a": "v1", "b": "v0"},
        "p1": {"a": "v0", "b": "v0"}, "p2": {"a": "v0"},
    }  # fmt: skip
    whole = pairs(
        tmp_path, [*rows, rows[0] | {"pair_id": "p3", **dict.fromkeys("ab", slot("x", "y", ()))}], "whole.json"
    )
    line = refused(import_cli(store, "psychosafe-humans", whole, "--trace", write(tmp_path / "t.json", trace)))
    assert "4 of 4" in line and "says one thing for its id and another for its prompt" in line
    assert "names one run for both slots" in line and "does not name a run for both slots" in line
    assert people_rows(store) == []
    values = pairs(tmp_path, rows, "values.json")
    data = json.loads(values.read_text())
    first = data["paired_responses"][0]["a"]
    first |= {"criteria_1": "No", "criterion_2": 6, "criterion_5": 1}
    del first["criterion_3"]
    write(values, data)
    done = import_cli(store, "psychosafe-humans", path, values, "--answers", file, "--keep-good")
    assert done.exit_code == 1
    why = [
        *(w for _, w in spoilt),
        "pair 1, a, criterion 1: `criterion_1` and `criteria_1` differ",
        "pair 1, a, criterion 2: 6 is not on the scale of grounding",
        "pair 1, a, criterion 3: no `criterion_3`",
        "pair 1, a, criterion 5: the layout has criteria 1 to 4",
    ]
    assert len(done.stderr.splitlines()) == len(why)
    assert all(w in line for w, line in zip(why, done.stderr.splitlines(), strict=True))
    assert len(people_rows(store)) == 24 - 3


def test_answers_that_are_alike_and_runs_that_are_not_there(tmp_path: Path) -> None:
    file = judgments(tmp_path)
    data = json.loads(file.read_text())
    data["results"][0]["model_answer_v1"] = data["results"][0]["model_answer_v0"]
    write(file, data)
    store = Store(tmp_path / "store")
    path = pairs(tmp_path, blinded()[:1])
    line = refused(import_cli(store, "psychosafe-humans", path, "--answers", file))
    assert line.endswith("type `psychosafe import psychosafe compare_all_judges.json` first")
    trace = write(tmp_path / "trace.json", {"p0": {"a": "v0", "b": "v1"}})
    assert "no run 'v0' in the store" in refused(import_cli(store, "psychosafe-humans", path, "--trace", trace))
    assert not store.root.exists()
    import_judgments(store, file)
    line = refused(import_cli(store, "psychosafe-humans", path, "--answers", file))
    assert "pair 1: the answers of v0 and v1 are alike" in line
    assert "give --answers" in refused(import_cli(store, "psychosafe-humans", path))
    assert "give --answers" in refused(
        import_cli(store, "psychosafe-humans", path, "--answers", file, "--trace", trace)
    )
    # A second file's runs of the same names: a trace has to say which.
    import_judgments(store, judgments(tmp_path, "second.json"))
    assert "'v0' may be any of published_" in refused(import_cli(store, "psychosafe-humans", path, "--trace", trace))
    for bad, why in (({"p0": {"a": "v0"}}, "may be any of"), ([], "no trace"), ({}, "no trace")):
        write(trace, bad)
        assert why in refused(import_cli(store, "psychosafe-humans", path, "--trace", trace))
    assert "no `paired_responses`" in refused(import_cli(store, "psychosafe-humans", trace, "--answers", file))
    bare = judgments(tmp_path, "bare.json", answers=False)
    assert "no `model_answer_<run>`" in refused(import_cli(store, "psychosafe-humans", path, "--answers", bare))


def test_prompts_that_a_run_does_not_have(store: Store, ids: dict[str, str], tmp_path: Path) -> None:
    other = import_judgments(store, judgments(tmp_path, "other.json", prompts=7))["v0"]
    trace = write(tmp_path / "trace.json", {"p0": {"a": other, "b": ids["v1"]}})
    path = pairs(tmp_path, blinded()[:1])
    done = import_cli(store, "psychosafe-humans", path, "--trace", trace, "--keep-good")
    assert done.exit_code == 1
    assert done.stderr.endswith(f"pair 1, a: {other} has no item with this prompt\n")
    assert [r["run_id"] for r in people_rows(store)] == [ids["v1"]] * 4
    # Of the merged layout, whose rows name their run themselves.
    good = {"source_split": ids["v0"], "full_example": {"prompt": PROMPTS[0]}, "criteria_1": "Yes"}
    good |= {f"criteria_{n}": n for n in (2, 4)} | {"criteria_3": "No"}
    bad: list[tuple[Any, str]] = [
        ([], "no `source_split` and no `full_example` with a prompt"),
        (good | {"full_example": {}}, "no `source_split` and no `full_example` with a prompt"),
        (good | {"full_example": {"prompt": "unheard of"}}, f"{ids['v0']} has no item with this prompt"),
    ]
    merged = write(tmp_path / "merged.json", {"rows": [*(row for row, _ in bad), good]})
    done = import_cli(store, "psychosafe-humans", merged, "--rater", "Ben", "--keep-good")
    assert done.stderr.splitlines() == [f"left out  merged.json, row {n}: {why}" for n, (_, why) in enumerate(bad, 1)]
    assert {(r["run_id"], r["value"]) for r in people_rows(store) if r["rater"] == "Ben"} == {
        (ids["v0"], float(v)) for v in (1, 2, 0, 4)
    }
    for data in ([], {}, {"results": [1]}):
        answers = write(tmp_path / "answers.json", data)
        assert "no `results`; --answers takes" in refused(
            import_cli(store, "psychosafe-humans", path, "--answers", answers)
        )


def test_judges_and_runs_of_a_file_that_does_not_list_its_models(file: Path, tmp_path: Path) -> None:
    data = json.loads(file.read_text())
    del data["models"]
    listed, found = (list(read_judgments(p)) for p in (file, write(tmp_path / "bare.json", data)))
    assert len(found) == 2
    for (a, one), (b, two) in zip(listed, found, strict=True):
        assert (a.source.note, a.panel, a.items) == (b.source.note, b.panel, b.items)
        assert [r | {"run_id": b.run_id} for r in one] == two
    for models, why in (
        ([], "no `<judge>_<run>_criterion_<n>` keys"), (["x" * 5000], "does not read <judge>_<run>"),
        (["j_v0", "j_v0"], "'j_v0' stands twice among the models"),
    ):  # fmt: skip
        with pytest.raises(ImportRefused) as caught:
            list(read_judgments(write(tmp_path / "bad.json", data | {"models": models})))
        assert why in str(caught.value) and len(str(caught.value)) < 200


def published(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the published validation files are not here: {path}")
    return path


def test_the_published_person(tmp_path: Path) -> None:
    judged, annotated = published("compare_all_judges.json"), published("annotated_responses.json")
    store = Store(tmp_path / "store")
    ids = import_judgments(store, judged)
    done = import_cli(store, "psychosafe-humans", annotated, "--answers", judged)
    assert done.exit_code == 0, done.output
    rows = people_rows(store)
    assert len(rows) == 25 * 2 * 4
    assert set(Counter((r["run_id"], r["criterion"]) for r in rows).values()) == {25}
    # The means once more, straight from the files: which slot is which by the text alone.
    by_prompt = {r["prompt"]: r for r in json.loads(judged.read_text(encoding="utf-8"))["results"]}
    raw: dict[tuple[str, int], list[float]] = {}
    for pair in json.loads(annotated.read_text(encoding="utf-8"))["paired_responses"]:
        for part in (pair["a"], pair["b"]):
            (run,) = [r for r in ("v0", "v1") if by_prompt[part["prompt"]][f"model_answer_{r}"] == part["answer"]]
            for n in range(1, 5):
                value = part[f"criterion_{n}"]
                raw.setdefault((run, n), []).append(float({"Yes": 1, "No": 0}.get(value, value)))
    for run, run_id in ids.items():
        values = store.values(run_id, "person 1")
        for n, criterion in enumerate(CRITERIA, 1):
            assert statistics.fmean(values[criterion].values()) == pytest.approx(statistics.fmean(raw[run, n]))
    assert raw["v0", 2] != raw["v1", 2]
    before = contents(store)
    again = import_cli(store, "psychosafe-humans", annotated, "--answers", judged)
    assert again.exit_code == 0 and contents(store) == before
    # A merged variant with the other keys says the same.
    merged = tmp_path / "merged.json"
    merged.write_text(annotated.read_text(encoding="utf-8").replace('"criterion_', '"criteria_'), encoding="utf-8")
    same = import_cli(store, "psychosafe-humans", merged, "--answers", judged)
    assert same.exit_code == 0 and {x.split()[0] for x in same.stdout.splitlines()} == {"unchanged"}


def test_answers_are_described_and_ratings_outlive_it(
    store: Store, file: Path, ids: dict[str, str], items: list[str], tmp_path: Path
) -> None:
    run = store.manifest(ids["v1"])
    assert run.detectors == {"describe": DESCRIBE_VERSION}
    rows = [r for r in store.ratings([run.run_id]).to_pylist() if r["rater"] == DESCRIBE_RATER]
    assert {(r["rater_kind"], r["origin"], r["criterion"]) for r in rows} == {
        ("rule", "measured", c) for c in DESCRIBED
    }
    for n, item in enumerate(items):
        found = {r["criterion"]: (r["value"], r["status"]) for r in rows if r["item_id"] == item}
        assert found["words"] == (float(describe(answer("v1", n)).words), "ok"), "the template's token is no word"
        assert found["grade"] == (None, "undefined"), "too short for a grade"
    assert extra_measures(store, run)[f"{TEXT}/words"].estimate().n == len(items)
    # An answer that is empty is not described; a file without answers makes no such rows.
    assert import_cli(store, "psychosafe-humans", pairs(tmp_path, blinded()), "--answers", file).exit_code == 0
    data = json.loads(file.read_text())
    data["results"][0]["model_answer_v0"] = "<think>only reasoning"
    gone = Store(tmp_path / "gone")
    of_v0 = import_judgments(gone, write(tmp_path / "gone.json", data))["v0"]
    assert set(gone.values(of_v0, DESCRIBE_RATER)["words"]) == set(items[1:])
    bare = Store(tmp_path / "bare")
    run_id = import_judgments(bare, judgments(tmp_path, "bare.json", answers=False))["v0"]
    assert bare.manifest(run_id).detectors == {} and not bare.values(run_id, DESCRIBE_RATER)
    assert import_judgments(store, file) == ids and len(people_rows(store)) == 24


def choice(control: str, value: Any) -> dict[str, Any]:
    return {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": value}}


def test_label_studio(store: Store, ids: dict[str, str], items: list[str], tmp_path: Path) -> None:
    grounding = {"from_name": "grounding", "type": "rating", "value": {"rating": 4}}
    number = {"from_name": "relevance", "type": "number", "value": {"number": 2}}
    note = {"from_name": "why", "type": "textarea", "value": {"text": ["a remark"]}}
    data = {"run_id": ids["v0"], "item_id": items[0], "epoch": 1, "text": "a made-up answer"}
    tasks: list[Any] = [
        {
            "id": 1, "data": data, "predictions": [{"result": [choice("references", ["Yes"])]}],
            "annotations": [
                {"completed_by": 3, "was_cancelled": False,
                 "result": [choice("refusal", ["No"]), grounding, number, note]},
                {"completed_by": {"id": 4, "email": "somebody@example.org", "first_name": "Some"},
                 "was_cancelled": False, "result": [choice("refusal", ["Yes"])]},
                {"completed_by": 5, "was_cancelled": True, "result": []},
            ],
        },
        {"id": 2, "data": {"run_id": "", "item_id": ""}, "annotations": []},
    ]  # fmt: skip
    path = write(tmp_path / "export.json", tasks)
    done = import_cli(store, "label-studio", path)
    assert done.exit_code == 0, done.output
    assert "8 ratings by annotator 3, annotator 4, annotator 5" in done.stdout
    assert {(r["rater"], r["criterion"], r["value"], r["status"]) for r in people_rows(store)} == {
        ("annotator 3", "refusal", 0.0, "ok"), ("annotator 3", "grounding", 4.0, "ok"),
        ("annotator 3", "relevance", 2.0, "ok"), ("annotator 4", "refusal", 1.0, "ok"),
        *(("annotator 5", c, None, "skipped") for c in CRITERIA),
    }  # fmt: skip
    assert not any(b"example.org" in raw for raw in contents(store).values())
    # What cannot be read, one by one.
    ok = {"completed_by": 9, "result": [choice("refusal", ["Yes"])]}
    bad: list[tuple[Any, str]] = [
        ({"data": data, "annotations": [ok | {"completed_by": "somebody@example.org"}]}, "no number of the annotator"),
        ({"data": data, "annotations": [ok | {"result": None}]}, "no `result`"),
        ({"data": data, "annotations": [ok | {"result": [choice("refusal", ["Yes", "No"])]}]}, "more than one choice"),
        ({"data": data, "annotations": [ok | {"result": [choice("mood", ["Yes"])]}]}, "'mood' is no criterion"),
        ({"data": {"item_id": "x"}, "annotations": [ok]}, "no run in 'run_id'"),
        ({"data": data | {"run_id": "gone"}, "annotations": [ok | {"was_cancelled": True}]}, "no run 'gone'"),
        ({"data": data | {"item_id": "gone"}, "annotations": [ok]}, "has no item 'gone'"),
        ("no task", "no `data` and `annotations`"),
    ]
    spoilt = write(tmp_path / "bad.json", [{"data": data, "annotations": [ok]}, *(t for t, _ in bad)])
    assert f"{len(bad)} of {len(bad) + 1} ratings" in refused(import_cli(store, "label-studio", spoilt))
    done = import_cli(store, "label-studio", spoilt, "--keep-good")
    lines = done.stderr.splitlines()
    assert [w in x for (_, w), x in zip(bad, lines, strict=True)] == [True] * len(bad), lines
    assert "example.org" not in done.output
    for data_, why in (({}, "no list of tasks"), ([{"id": 1, "refusal": "Yes"}], "not as JSON-MIN")):
        assert why in refused(import_cli(store, "label-studio", write(tmp_path / "no.json", data_)))


def test_a_mapping_names_fields_controls_and_questions(
    store: Store, ids: dict[str, str], items: list[str], tmp_path: Path
) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        f"run: {ids['v1']}\nprompt: question\ncriteria:\n"
        '  refusal: {column: "q1", values: {declined: 1, went: 0}}\n',
        encoding="utf-8",
    )
    task = {"data": {"question": PROMPTS[1]}, "annotations": [
        {"completed_by": 1, "result": [choice("q1", ["Declined"]), choice("q2", ["other"])]},
        {"completed_by": 2, "was_cancelled": True}]}  # fmt: skip
    assert import_cli(store, "label-studio", write(tmp_path / "a.json", [task]), "--mapping", mapping).exit_code == 0
    said = {"q1": [{"value": "went", "user_id": USER}], "q2": [{"value": 9, "user_id": USER}]}
    record = {"fields": {"question": PROMPTS[2]}, "responses": said}
    assert import_cli(store, "argilla", write(tmp_path / "b.json", [record]), "--mapping", mapping).exit_code == 0
    found = {(r["rater"], r["item_id"], r["criterion"], r["value"], r["status"]) for r in people_rows(store)}
    assert found == {
        ("annotator 1", items[1], "refusal", 1.0, "ok"), ("annotator 2", items[1], "refusal", None, "skipped"),
        (f"annotator {USER}", items[2], "refusal", 0.0, "ok"),
    }  # fmt: skip
    assert {r["run_id"] for r in people_rows(store)} == {ids["v1"]}
    said["q1"][0]["value"] = "unheard of"
    bad = write(tmp_path / "c.json", [record])
    assert "'unheard of' is not among the mapping's values (declined, went)" in refused(
        import_cli(store, "argilla", bad, "--mapping", mapping)
    )


def test_argilla_in_its_three_layouts(store: Store, ids: dict[str, str], items: list[str], tmp_path: Path) -> None:
    def of(n: int) -> dict[str, Any]:
        return {"metadata": {"run_id": ids["v0"], "item_id": items[n]}, "fields": {"text": "a made-up answer"}}

    nested = of(0) | {"responses": {
        "refusal": [{"value": "Yes", "user_id": USER}, {"value": "No", "user_id": OTHER, "status": "discarded"}],
        "grounding": [{"value": 4, "user_id": USER, "status": "submitted"}]}}  # fmt: skip
    flat = {
        "run_id": ids["v0"], "item_id": items[1], "refusal.responses": ["No", None],
        "refusal.responses.users": [USER, OTHER], "refusal.responses.status": ["submitted", "discarded"],
        "relevance.responses": None, "refusal.suggestion": "Yes",
    }  # fmt: skip
    old = of(2) | {"responses": [
        {"user_id": USER, "status": "submitted", "values": {"refusal": {"value": ["Yes"]}, "relevance": {"value": 5}}},
        {"user_id": OTHER, "status": "discarded", "values": None}]}  # fmt: skip
    untouched = of(2) | {"responses": {}}
    lines = tmp_path / "records.jsonl"
    lines.write_text("\n".join(map(json.dumps, [nested, flat, old, untouched])), encoding="utf-8")
    done = import_cli(store, "argilla", lines)
    assert done.exit_code == 0, done.output
    short = {f"annotator {USER}": "u", f"annotator {OTHER}": "o"}
    rows = {(short[r["rater"]], items.index(r["item_id"]), r["criterion"], r["value"]) for r in people_rows(store)}
    assert rows == {
        ("u", 0, "refusal", 1.0), ("o", 0, "refusal", None), ("u", 0, "grounding", 4.0),
        ("u", 1, "refusal", 0.0), ("o", 1, "refusal", None),
        ("u", 2, "refusal", 1.0), ("u", 2, "relevance", 5.0), *(("o", 2, c, None) for c in CRITERIA),
    }  # fmt: skip
    assert {r["status"] for r in people_rows(store) if r["value"] is None} == {"skipped"}
    third = "third-user"
    said = {"value": "Yes", "user_id": third}
    bad: list[tuple[Any, str]] = [
        (of(0) | {"responses": {"refusal": [said | {"status": "draft"}]}}, "a draft"),
        (of(0) | {"responses": {"refusal": [said | {"status": "pending"}]}}, "none of Argilla's"),
        (of(0) | {"responses": {"refusal": [said | {"user_id": None}]}}, "no `user_id`"),
        (of(0) | {"responses": {"refusal": [said | {"user_id": "somebody@example.org"}]}}, "no `user_id`"),
        (of(0) | {"responses": {"refusal": [said | {"value": ["Yes", "No"]}]}}, "a list is not on the scale"),
        (of(0) | {"responses": {"refusal": "Yes"}}, "no list of objects"),
        (of(0) | {"refusal": "Yes"}, "no `responses`"),
        ({"responses": {"refusal": [said]}}, "no run in 'run_id'"),
        (flat | {"refusal.responses.users": [USER]}, "not a user and a status for each value"),
        ([], "no JSON object"),
    ]
    path = write(tmp_path / "bad.json", [b for b, _ in bad])
    line = refused(import_cli(store, "argilla", path, "--keep-good"))
    assert f"{len(bad)} of {len(bad)} ratings" in line and "none is left to add" in line
    path = write(tmp_path / "bad.json", [*(b for b, _ in bad), of(0) | {"responses": {"refusal": [said]}}])
    left_out = import_cli(store, "argilla", path, "--keep-good").stderr.splitlines()
    assert [w in x for (_, w), x in zip(bad, left_out, strict=True)] == [True] * len(bad), left_out
    assert "no list of records" in refused(import_cli(store, "argilla", write(tmp_path / "no.json", {})))
