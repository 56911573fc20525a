"""Logs read straight from their archive: ratings and texts are the same as through Inspect."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest
from inspect_ai.log import EvalSample, read_eval_log, write_eval_log
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentImage,
    ContentText,
    ModelName,
)
from inspect_ai.solver import TaskState

import results.logs.reading as reading
from evals.dialogues.play import STOPS
from evals.rejudge_job import prompt_of, read_job
from results.ingest import ingest, read_log
from results.logs.files import log_file
from results.logs.panels import read_runs
from results.logs.reading import LogError
from results.store import Store, StoreError
from results.texts import _STOPS, RESPONSE, TextsMissing, add_texts, run_texts, texts_ingested
from results.transcripts import answers, transcript
from tests.e2e.conftest import KINDS
from tests.support.logs import copy_log

pytestmark = pytest.mark.xdist_group("log_reading")  # with test_log_archives: the runs they share are made once


@pytest.mark.parametrize("kind", KINDS)
def test_ratings_are_the_same_through_inspect(
    kind: str, logs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = log_file(logs[kind])
    with file.archive() as archive:
        assert archive.json("header.json")["version"] == reading.LOG_VERSION, "the layout is another one now"
    direct = read_runs(file)
    # A log of another layout goes through Inspect.
    monkeypatch.setattr(reading, "LOG_VERSION", 1)
    public = read_runs(file)
    assert direct == public
    assert len(direct) == 1
    assert direct[0][1].num_rows > 0


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_the_judged_ones(
    kind: str, logs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [logs[kind]]).written
    assert not texts_ingested(store, store.manifest(run_id))
    assert add_texts(store, run_id)
    assert not add_texts(store, run_id), "they are there"
    table, system = run_texts(store, run_id)
    job = read_job(logs[kind])
    expected = {
        (str(s.id), s.epoch, k if len(given) > 1 or (s.metadata or {}).get("script") else 0): (r.text, r.state)
        for s, given in job.work
        for k, r in enumerate(given, 1)
    }
    found = {
        (r["item_id"], r["epoch"], r["turn"]): (r["text"], r["state"])
        for r in table.to_pylist()
        if r["kind"] == RESPONSE
    }
    assert found == expected
    assert system == next(m.text for m in job.work[0][0].messages if m.role == "system")
    wrote = [
        (str(s.id), s.epoch, judge, criterion, text)
        for s, _ in job.work
        for name, said in (next(iter((s.scores or {}).values())).metadata or {})["justifications"].items()
        for judge, criterion, text in ((name.split(", turn ")[0], c, t) for c, t in said.items() if t)
    ]
    rows = [r for r in table.to_pylist() if r["kind"] == "justification"]
    assert sorted((r["item_id"], r["epoch"], r["rater"], r["criterion"], r["text"]) for r in rows) == sorted(wrote)
    # The same through Inspect's own functions.
    monkeypatch.setattr(reading, "LOG_VERSION", 1)
    again = Store(tmp_path / "again")
    ingest(again, [logs[kind]], texts=True)
    assert run_texts(again, run_id) == (table, system)


def test_the_json_format_gives_the_same_ratings(logs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(logs["single"])), str(path))
    ((manifest, table),) = read_log(path)
    ((other, expected),) = read_log(logs["single"])
    assert manifest.run_id == other.run_id
    assert manifest.ratings == other.ratings
    assert table == expected
    store = Store(tmp_path / "store")
    ingest(store, [path], texts=True)
    direct = Store(tmp_path / "direct")
    ingest(direct, [logs["single"]], texts=True)
    assert run_texts(store, manifest.run_id)[0] == run_texts(direct, manifest.run_id)[0]


def test_where_a_dialogue_keeps_why_its_answers_ended() -> None:
    assert _STOPS == STOPS


def test_reading_leaves_the_collector_as_it_was(logs: dict[str, Path]) -> None:
    gc.disable()
    try:
        assert read_log(logs["single"]) and not gc.isenabled()
    finally:
        gc.enable()
    assert read_log(logs["single"]) and gc.isenabled()


def test_two_panels_in_one_log_are_the_same_through_inspect(
    logs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What every score repeats is read once; that of one panel is not that of the other."""
    log = read_eval_log(str(logs["single"]))
    for sample in log.samples or []:
        assert sample.scores is not None
        other = sample.scores["rubric_panel"].model_copy(deep=True)
        assert other.metadata is not None
        other.metadata["panel"]["name"] = "the other"
        sample.scores["other_panel"] = other
    path = tmp_path / "two.eval"
    write_eval_log(log, str(path))
    direct = read_runs(log_file(path))
    monkeypatch.setattr(reading, "LOG_VERSION", 1)
    assert direct == read_runs(log_file(path))
    assert [m.panel.name for m, _ in direct] == ["the other", "offline"]
    assert all(j.family == "none" for m, _ in direct for j in m.panel.judges), "from the judges' configurations"


def test_a_request_is_read_as_the_panel_read_it() -> None:
    """As Inspect's `input_text`: the last message of the user, or what stands for a picture."""
    picture = ContentImage(image="data:image/png;base64,AAAA")
    for messages in (
        [ChatMessageUser(content="first"), ChatMessageUser(content="last"), ChatMessageAssistant(content="no")],
        [ChatMessageUser(content=[ContentText(text="shown: "), picture])],
        [ChatMessageUser(content=[picture, picture])],
        [ChatMessageUser(content="")],
    ):
        state = TaskState(model=ModelName("mockllm/model"), sample_id=1, epoch=1, input=messages, messages=[])
        assert prompt_of(EvalSample(id=1, epoch=1, input=messages, target="")) == state.input_text
    assert prompt_of(EvalSample(id=1, epoch=1, input="plain", target="")) == "plain"
    assert prompt_of(EvalSample(id=1, epoch=1, input=[ChatMessageAssistant(content="no")], target="")) == ""


# --- texts: a second stage, or on first use --------------------------------------------------------------------------


def test_texts_come_on_first_use(logs: dict[str, Path], tmp_path: Path) -> None:
    path = shutil.copy(logs["dialogues"], tmp_path / "log.eval")
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [path]).written
    turns = transcript(store, run_id, "esc-sh-01")
    assert [t.turn for t in turns] == list(range(1, len(turns) + 1))
    assert all(t.prompt and t.response and t.state == "complete" for t in turns)
    assert {rater for t in turns for rater, _ in t.justifications} == {"rules"}
    Path(path).unlink()
    assert transcript(store, run_id, "esc-sh-01") == turns, "the store has them now"
    index = answers(store, run_id).to_pylist()
    own = [r for r in index if r["item_id"] == "esc-sh-01"]
    assert [(r["turn"], r["state"], r["words"]) for r in own] == [
        (t.turn, t.state, len(t.response.split())) for t in turns
    ]
    assert {r["item_id"] for r in index} == {"esc-sh-01", "esc-vi-01"}
    assert answers(Store(store.root), run_id).to_pylist() == index
    assert len(list((store.root / "derived").glob("answers-*"))) == 1
    with pytest.raises(StoreError, match="no texts of item 'nobody'"):
        transcript(store, run_id, "nobody")


def test_without_texts_it_is_said(logs: dict[str, Path], tmp_path: Path) -> None:
    path = Path(shutil.copy(logs["single"], tmp_path / "log.eval"))
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [path]).written
    path.unlink()
    with pytest.raises(TextsMissing, match=r"texts of .* not ingested yet, and its log is not where it was"):
        transcript(store, run_id, "r1")
    path.write_bytes(logs["epochs"].read_bytes())
    with pytest.raises(TextsMissing, match="not ingested yet, and its log has changed"):
        run_texts(store, run_id)
    # A copy elsewhere serves.
    again = ingest(store, [logs["single"]], texts=True)
    assert again.texts == [run_id]
    assert transcript(store, run_id, "r1")[0].response


def test_a_second_pass_goes_on_where_it_was(logs: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for n in range(3):
        copy_log(logs["single"], folder / f"{n}.eval", f"copy{n}")
    store = Store(tmp_path / "store")
    written = ingest(store, [folder]).written
    add_texts(store, written[1])
    before = (store.runs_dir / written[1] / "texts.parquet").stat().st_mtime_ns
    report = ingest(store, [folder], texts=True)
    assert sorted(report.texts) == sorted({written[0], written[2]})
    assert not report.written
    assert (store.runs_dir / written[1] / "texts.parquet").stat().st_mtime_ns == before


def test_texts_of_messages_in_parts_and_of_no_answer(logs: dict[str, Path], tmp_path: Path) -> None:
    """As other tasks log them: the person's messages in several parts, and an answer that never came."""
    log = read_eval_log(str(logs["single"]))
    first, second, *_ = log.samples or []
    first.input = [
        ChatMessageSystem(content="not the person's"),
        ChatMessageUser(content=[ContentText(text="one part"), ContentText(text="another")]),
        ChatMessageUser(content="a second message"),
    ]
    second.output.choices = []
    (first.scores or {})["rubric_panel"].metadata["justifications"] |= {
        "rules": {"refusal": "", "harm_provided": "why"}
    }  # type: ignore[index]
    path = tmp_path / "log.eval"
    write_eval_log(log, str(path))
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [path], texts=True).written
    (turn,) = transcript(store, run_id, str(first.id))
    assert turn.prompt == "one part\nanother\na second message" and turn.response
    assert turn.justifications == {("rules", "harm_provided"): "why"}, "an empty word is none"
    (turn,) = transcript(store, run_id, str(second.id))
    assert (turn.response, turn.state) == ("", "empty") and turn.prompt


def test_texts_of_another_log_or_damaged_ones_are_refused(logs: dict[str, Path], tmp_path: Path) -> None:
    path = Path(shutil.copy(logs["single"], tmp_path / "log.eval"))
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [path]).written
    with pytest.raises(LogError, match="the log is another one now; ingest it again"):
        add_texts(store, run_id, log_file(logs["epochs"]))
    assert not texts_ingested(store, store.manifest(run_id))
    assert add_texts(store, run_id, log_file(logs["single"]))
    place = store.runs_dir / run_id / "texts.parquet"
    raw = bytearray(place.read_bytes())
    # The footer says that all is well.
    end = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    raw[4:end] = b"\xff" * (end - 4)
    place.write_bytes(raw)
    assert texts_ingested(store, store.manifest(run_id))
    for read in (run_texts, answers, lambda s, r: transcript(s, r, "r1")):
        with pytest.raises(TextsMissing, match=r"cannot be read; remove texts.parquet, and ingest its log again"):
            read(store, run_id)
    place.unlink()
    assert transcript(store, run_id, "r1")[0].response, "which the log brings back"
