"""`psychosafe annotate`: from finished logs to a plan, from ratings to the store and to Inspect."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from inspect_ai.log import EvalError, read_eval_log, write_eval_log
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ModelOutput

from evals.escalation import escalation
from evals.psychosafe import psychosafe
from judges.annotation.database import AnnotationStore
from judges.annotation.plan import load_map, load_plan
from leaderboard.annotate.access import adjudicator_code, codes
from leaderboard.cli import main
from leaderboard.cli.annotate import _app, server_env
from leaderboard.cli.annotate_sources import from_answers, from_log
from results.ingest import ingest
from results.schema import PANEL_RATER
from results.store import Store
from tests.e2e.conftest import ITEMS, SHARED, run_task, write_items
from tests.support.people import PROMPTS, answer, judgments

PUBLISHED = SHARED / "validation" / "compare_all_judges.json"


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def one_line(done: Result, *said: str) -> None:
    assert done.exit_code == 1, (done.exit_code, done.output)
    assert isinstance(done.exception, SystemExit), done.exception
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("Error: "), done.stderr
    for part in said:
        assert part in lines[0], lines[0]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two policies on twelve items, ingested; a plan; and its three annotators' ratings."""
    root = tmp_path_factory.mktemp("annotate")
    once = [{k: v for k, v in i.items() if k != "twin"} for i in ITEMS]
    items = [{**i, "id": f"{i['id']}-{k}", "prompt": f"{i['prompt']} {k}"} for k in range(3) for i in once]
    path = str(write_items(root, items))
    for policy in ("policy/blunt", "policy/comply"):
        assert run_task(psychosafe(path, condition="none"), policy, root / "logs").status == "success"
    store = Store(root / "store")
    ingest(store, [root / "logs"])
    done = cli(
        "annotate", "plan", root / "logs", "--annotators", "anna, ben,chris", "--n", 20, "--repeats", 0.2,
        "--training", 3, "--gold", 4, "--pairs", 3, "--seed", 4, "--country", "gb", "--out", root / "study",
        "--store", store.root, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    plan_file, map_file = root / "study" / "annotate" / "plan.json", root / "study" / "keep" / "map.json"
    plan = load_plan(plan_file)
    saved = AnnotationStore(str(root / "ratings.db"), plan)
    for k, who in enumerate(plan.annotators):
        for position, token in enumerate(plan.queue(who).tokens):
            values = {c.id: c.values[(position + k) % len(c.values)] for c in plan.criteria_of(token)}
            status = "skipped" if position == 9 else "ok"
            saved.save(
                who, token, values, status=status, nonce=token, shown_at=time.time() - 9, position=position,  # type: ignore[arg-type]
                comment="=a comment" if position == 10 else "",
            )  # fmt: skip
    settled = next(t for t in saved.to_adjudicate() if t not in plan.queue("anna").cards)
    saved.adjudicate("zoe", settled, {c.id: c.values[-1] for c in plan.rubric.criteria}, "z1")
    ratings = saved.ratings()
    # The last connection brings what is in the write-ahead log into the file, which is copied below.
    saved.close()
    return {"root": root, "store": store, "plan": plan, "plan_file": plan_file, "map_file": map_file, "said": done,
            "map": load_map(map_file, plan), "db": str(root / "ratings.db"), "ratings": ratings}  # fmt: skip


def test_a_plan_from_logs(lab: dict[str, Any]) -> None:
    """The runs of the plan are those of the store; the plan's file tells nothing of them."""
    told = json.loads(lab["said"].stdout)
    assert told["plan_sha256"] == lab["plan"].sha256 and set(told["annotators"]) == {"anna", "ben", "chris"}
    runs = set(lab["store"].run_ids())
    assert {s.run_id for s in lab["map"].sources.values()} == runs and len(runs) == 2
    # The rubric says "refused" of itself, and the note names the domains that there are.
    data = json.loads(lab["plan_file"].read_text())
    text = json.dumps({k: v for k, v in data.items() if k not in ("rubric", "content_note")})
    for secret in (*runs, "policy/", "substance_use", "r1-0", "refused", "complied"):
        assert secret not in text, secret
    assert "Samaritans" in text and "findahelpline.com" in text
    # Item texts are what the log holds, under the ids of the ratings table.
    for token, source in lab["map"].sources.items():
        item = next(i for i in lab["store"].manifest(source.run_id).items if i.id == source.item_id)
        assert lab["plan"].card(token).prompt.startswith(source.item_id.split("-")[0][0].upper().replace("N", "P"))
        assert source.stratum.startswith(f"{item.domain or 'no domain'} | {source.run_id} | ")


def test_a_dry_run_writes_nothing_and_bad_requests_are_told(lab: dict[str, Any], tmp_path: Path) -> None:
    logs = lab["root"] / "logs"
    ask = [
        "annotate",
        "plan",
        logs,
        "--annotators",
        "anna,ben",
        "--training",
        2,
        "--gold",
        2,
        "--store",
        tmp_path / "s",
    ]
    done = cli(*ask, "--n", 10, "--out", tmp_path / "study", "--dry-run")
    assert done.exit_code == 0 and not (tmp_path / "study").exists() and not (tmp_path / "s").exists()
    assert "is not in the store" in done.stderr and "anna" in done.stdout
    for more, said in (
        (["--n", 100], "100 cards of 24 responses"),
        (["--n", 5, "--overlap", 3], "overlap 3"),
        (["--n", 5, "--rubric", "none.yaml"], "no rubric"),
        (["--n", 5, "--country", "ZZ"], "no verified crisis line"),
        (["--n", 5, "--gold", 99], "100 answers to 30 messages"),
        (["--n", 5, "--answers", tmp_path / "none.json"], "no file"),
    ):
        one_line(cli(*ask, *more, "--out", tmp_path / "study"), said)
    assert not (tmp_path / "study").exists()
    (tmp_path / "empty").mkdir()
    one_line(cli("annotate", "plan", tmp_path / "empty", "--annotators", "a", "--n", 5, "--dry-run"), "no .eval log in")
    bare = judgments(tmp_path, "bare.json", answers=False)
    one_line(cli("annotate", "plan", "--answers", bare, "--annotators", "a", "--n", 5, "--dry-run"), "without answers")
    assert cli("annotate", "plan", "--annotators", "a", "--n", 5, "--dry-run").exit_code == 2
    assert cli(*ask, "--n", 5).exit_code == 2
    bad = tmp_path / "bad.eval"
    bad.write_bytes(b"no log")
    one_line(cli("annotate", "plan", bad, "--annotators", "a", "--n", 5, "--dry-run"), "not an Inspect log")
    one_line(cli(*ask, "--n", 10, "--out", lab["root"] / "study"), "never overwritten")


def test_answers_that_were_judged_again_are_drawn_once(lab: dict[str, Any], tmp_path: Path) -> None:
    first = sorted((lab["root"] / "logs").glob("*.eval"))[0]
    log = Path(shutil.copy(first, tmp_path))
    for rubric in ("psychosafe", "paper"):  # the second from the first: both judge the answers of the log
        given = cli("rejudge", log, "--judges", "offline", "--rubric", rubric, "--store", tmp_path / "store")
        assert given.exit_code == 0, given.output
    again = [f for f in tmp_path.glob("*.eval") if f != log]
    assert len(again) == 2

    def planned(*logs: Path) -> Result:
        return cli("annotate", "plan", *logs, "--annotators", "anna", "--n", 12, "--overlap", 1, "--dry-run",
                   "--training", 0, "--gold", 0, "--repeats", 0, "--store", tmp_path / "store", "--json")  # fmt: skip

    for logs, left in (((log,), 0), ((*again, log), 2), (tuple(again), 1)):
        done = planned(*logs)
        assert done.exit_code == 0, done.output
        assert sum(s["size"] for s in json.loads(done.stdout)["strata"].values()) == 12
        assert done.stderr.count("judged again; left out") == left
    (tmp_path / "copy").mkdir()
    one_line(planned(log, Path(shutil.copy(log, tmp_path / "copy"))), "given twice", "name each log once")


def test_dialogues_are_rated_turn_by_turn(tmp_path: Path) -> None:
    """Of a dialogue, each turn is a card whose message is what was said before; ids are those of the ratings table."""
    turns = {
        "id": "d1", "domain": "violence", "role": "victim", "risk_turn": 2,
        "turns": [
            {"prompt": "FIRST-TURN what time does the bus go", "expected": {"answer": "answer"}},
            {"prompt": "SECOND-TURN he is waiting at home", "risk": 4, "expected": {"answer": "support"}},
        ],
    }  # fmt: skip
    log = run_task(escalation(str(write_items(tmp_path, [turns]))), "policy/blunt", tmp_path / "logs")
    store = Store(tmp_path / "store")
    run_id = ingest(store, [Path(log.location)]).written[0]
    done = cli("annotate", "plan", log.location, "--annotators", "anna", "--overlap", 1, "--n", 2, "--repeats", 0,
               "--training", 0, "--gold", 0, "--out", tmp_path / "study", "--store", store.root)  # fmt: skip
    assert done.exit_code == 0, done.output
    plan, found = load_plan(tmp_path / "study/annotate/plan.json"), load_map(tmp_path / "study/keep/map.json")
    rated = {
        (r["item_id"], r["epoch"], r["turn"])
        for r in store.ratings([run_id]).to_pylist()
        if r["rater"] == PANEL_RATER and r["criterion"] == "refusal"
    }
    assert {(s.item_id, s.epoch, s.turn) for s in found.sources.values()} == rated == {("d1", 1, 1), ("d1", 1, 2)}
    second = next(plan.card(t) for t, s in found.sources.items() if s.turn == 2)
    assert "FIRST-TURN" in second.prompt and "SECOND-TURN" in second.prompt


def test_of_a_judgment_file_the_answers_that_are_there_are_rated(tmp_path: Path) -> None:
    path = judgments(tmp_path)
    data = json.loads(path.read_text(encoding="utf-8"))
    for row in data["results"]:
        del row["model_answer_v1"]
    del data["results"][1]["model_answer_v0"]
    path.write_text(json.dumps(data), encoding="utf-8")
    (found,) = from_answers(path, {})
    assert found.run.source.note == "run v0" and [c.prompt for c in found.candidates] == [PROMPTS[0], PROMPTS[2]]
    assert [c.response.split("<|")[0] for c in found.candidates] == [answer("v0", 0), answer("v0", 2)]


def test_of_a_log_that_holds_messages_the_last_of_the_person_is_the_card_s(lab: dict[str, Any], tmp_path: Path) -> None:
    """And where the model failed, or said nothing, there is nothing to rate."""
    (path,) = (p for p in sorted((lab["root"] / "logs").glob("*.eval")) if "blunt" in read_eval_log(str(p)).eval.model)
    log = read_eval_log(str(path))
    assert log.samples is not None
    whole = {c.item_id: c.prompt for c in from_log(path, "psychosafe").candidates}
    for sample in log.samples:
        assert isinstance(sample.input, str)
        sample.input = [ChatMessageSystem(content="be brief"), ChatMessageUser(content=sample.input)]
    cut, empty = log.samples[:2]
    empty.output = ModelOutput.from_content("m", "")
    cut.error, cut.scores = EvalError(message="made up", traceback="", traceback_ansi=""), None
    write_eval_log(log, str(tmp_path / path.name))
    found = {c.item_id: c.prompt for c in from_log(tmp_path / path.name, "psychosafe").candidates}
    assert found == {k: v for k, v in whole.items() if k not in {cut.id, empty.id}} and len(found) == len(whole) - 2


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published judgments are not on this machine")
def test_a_plan_from_published_answers(tmp_path: Path) -> None:
    """The runs are those that `import psychosafe` makes, so that people's ratings join the published ones."""
    store = Store(tmp_path / "store")
    assert cli("import", "psychosafe", PUBLISHED, "--store", store.root).exit_code == 0
    done = cli("annotate", "plan", "--answers", PUBLISHED, "--annotators", "anna,ben", "--n", 50, "--rubric", "paper",
               "--training", 5, "--gold", 5, "--min-compliant", 9, "--out", tmp_path / "study",
               "--store", store.root)  # fmt: skip
    assert done.exit_code == 0 and "not in the store" not in done.stderr, done.output
    assert "of the 9 asked for" in done.stdout
    found = load_map(tmp_path / "study/keep/map.json")
    known = {(run, item.id) for run in store.run_ids() for item in store.manifest(run).items}
    assert {(s.run_id, s.item_id) for s in found.sources.values()} == known and len(known) == 50


def test_export_into_the_store(lab: dict[str, Any], tmp_path: Path) -> None:
    """People's ratings are rows of their runs; a second export adds nothing; corrections after it are refused."""
    store = Store(tmp_path / "store")
    shutil.copytree(lab["store"].root, store.root)
    db = tmp_path / "ratings.db"
    shutil.copy(lab["db"], db)
    ask = ["annotate", "export", lab["plan_file"], "--map", lab["map_file"], "--db", db, "--store", store.root]
    done = cli(*ask, "--out", tmp_path / "out", "--into-store")
    assert done.exit_code == 0 and done.stdout.count("added to ") == 2, done.output
    want: dict[tuple[str, str, str], dict[str, float]] = {}
    sources, again = lab["map"].sources, lab["map"].repeats
    for r in lab["ratings"]:
        if r.token in sources and r.token not in again and r.value is not None:
            want.setdefault((sources[r.token].run_id, r.annotator, r.criterion), {})[sources[r.token].item_id] = r.value
    for (run_id, who, criterion), values in want.items():
        assert store.values(run_id, who)[criterion] == values
    rows = store.ratings(store.run_ids()).to_pylist()
    assert [r["value"] for r in rows if r["rater"] == "adjudicated" and r["criterion"] == "grounding"] == [5.0]
    people = [r for r in rows if r["rater_kind"] == "human" and r["rater"] != "adjudicated"]
    assert {r["repeat"] for r in people} == {0, 1} and {r["origin"] for r in people} == {"measured"}
    assert any(r["status"] == "skipped" and r["value"] is None for r in people)
    assert len(people) == len(lab["plan"].rubric.criteria) * sum(
        t in sources for q in lab["plan"].queues for t in q.cards
    )

    assert cli(*ask, "--out", tmp_path / "again", "--into-store").stdout.count("unchanged ") == 2
    one_line(cli(*ask, "--out", tmp_path / "out"), "there already")
    with_rating = AnnotationStore(str(db), lab["plan"])
    token = next(t for t in lab["plan"].queue("anna").cards if t in sources)
    values = {c.id: c.values[0] for c in lab["plan"].rubric.criteria}
    with_rating.save("anna", token, values, nonce="later", shown_at=time.time(), position=0)
    one_line(cli(*ask, "--out", tmp_path / "late", "--into-store"), "already")
    assert not (tmp_path / "late").exists() and not list(tmp_path.glob(".late*"))
    one_line(cli(*ask[:4], lab["plan_file"], *ask[5:], "--out", tmp_path / "x"), "no map")


@pytest.mark.slow
def test_export_files_and_inspect_reads_them(lab: dict[str, Any], tmp_path: Path) -> None:
    """`inspect score` puts the people's combined values into a real log."""
    out = tmp_path / "out"
    done = cli("annotate", "export", lab["plan_file"], "--map", lab["map_file"], "--db", lab["db"], "--out", out)
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((out / "ratings.csv").open()))
    assert len({(r["rater"], r["token"], r["criterion"]) for r in rows}) == len(rows)
    assert {r["comment"] for r in rows} == {"", "'=a comment"}
    assert {r["preferred"] for r in csv.DictReader((out / "pairs.csv").open())} <= {
        "",
        "equal",
        *lab["store"].run_ids(),
    }
    settled = list(csv.DictReader((out / "adjudications.csv").open()))
    assert len(settled) == 6 and {r["adjudicator"] for r in settled} == {"zoe"}
    assert {r["raters_as_shown"] for r in settled} <= {"ben; chris", "chris; ben"}
    run_id = lab["store"].run_ids()[0]
    source = lab["store"].manifest(run_id).source
    scores = out / "inspect" / run_id / "people.jsonl"
    assert {p.stem for p in scores.parent.iterdir()} == {"anna", "ben", "chris", "people"}
    scored = tmp_path / "scored.eval"
    command = [str(Path(sys.executable).with_name("inspect")), "score", source.location, "--scorer",
               "inspect_ai/precomputed_scores", "-S", f"scores={scores}", "--action", "append", "--output-file",
               str(scored), "--display", "none"]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert ran.returncode == 0, ran.stderr[-2000:]
    want = {r["id"]: r["value"] for r in map(json.loads, scores.read_text().splitlines())}
    got = {
        str(s.id): s.scores["precomputed_scores"].value
        for s in read_eval_log(str(scored)).samples or []
        if s.scores and "precomputed_scores" in s.scores
    }
    assert set(got) == set(want) and len(want) >= 8
    for item, values in want.items():
        for criterion, value in values.items():
            read = got[item][criterion]  # type: ignore[index,call-overload]
            assert read == value or (math.isnan(value) and math.isnan(read))  # type: ignore[arg-type]
    # The log that people's scores were added to is still the same run.
    assert ingest(Store(tmp_path / "store"), [scored]).written == [run_id]


def test_nothing_to_export(lab: dict[str, Any], tmp_path: Path) -> None:
    ask = ["annotate", "export", lab["plan_file"], "--map", lab["map_file"], "--out", tmp_path / "out"]
    one_line(cli(*ask, "--db", tmp_path / "new.db"), "no annotation database at")
    AnnotationStore(str(tmp_path / "new.db"), lab["plan"]).close()
    one_line(cli(*ask, "--db", tmp_path / "new.db"), "no rating of a response yet")
    one_line(cli(*ask, "--db", "mysql://u:s3cret@h/d"), "no annotation database of kind")
    assert not (tmp_path / "out").exists()


def test_files_go_into_an_empty_folder_and_not_below_a_file(lab: dict[str, Any], tmp_path: Path) -> None:
    ask = ["annotate", "export", lab["plan_file"], "--map", lab["map_file"], "--db", lab["db"], "--out"]
    (tmp_path / "empty").mkdir()
    assert cli(*ask, tmp_path / "empty").exit_code == 0
    names = {p.name for p in (tmp_path / "empty").iterdir()}
    assert names == {"ratings.csv", "pairs.csv", "adjudications.csv", "inspect"}
    (tmp_path / "file").write_text("kept")
    one_line(cli(*ask, tmp_path / "file" / "out"), "cannot write to", "name another folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file"]
    assert (tmp_path / "file").read_text() == "kept"


def test_the_map_is_given_to_the_progress_server_alone(
    lab: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSYCHOSAFE_ADMIN_MAP", "left over")
    monkeypatch.chdir(tmp_path)
    plan_file, plan = lab["plan_file"], lab["plan"]
    for admin, adjudicate, script, people in (
        (None, False, "app.py", codes(plan, plan_file)),
        (None, True, "adjudicate.py", {"the adjudicator": adjudicator_code(plan, plan_file)}),
        (lab["map_file"], False, "admin.py", {}),
    ):
        assert (_app(plan_file, plan, admin, adjudicate)[0], _app(plan_file, plan, admin, adjudicate)[2]) == (
            script, people,
        )  # fmt: skip
        env = server_env(plan_file, "ratings.db", admin)
        assert env.get("PSYCHOSAFE_ADMIN_MAP") == (None if admin is None else str(lab["map_file"]))
        assert env["PSYCHOSAFE_ANNOTATION_DB"] == str(tmp_path / "ratings.db")
    url = "postgresql://u@h/d"
    assert server_env(plan_file, url, None)["PSYCHOSAFE_ANNOTATION_DB"] == url


@pytest.mark.process
@pytest.mark.socket
def test_serve(lab: dict[str, Any], tmp_path: Path) -> None:
    """The server answers on loopback and is told of no map; what is wrong is said before it starts."""
    one_line(cli("annotate", "serve", tmp_path / "none.json", "--db", "x.db"), "no plan")
    one_line(cli("annotate", "serve", lab["plan_file"], "--db", lab["db"], "--admin", lab["plan_file"]), "no map")
    edited = tmp_path / "plan.json"
    edited.write_text(lab["plan_file"].read_text().replace('"Rating answers"', '"Another title"'))
    one_line(cli("annotate", "serve", edited, "--db", lab["db"]), "the plan was edited")
    both = cli("annotate", "serve", lab["plan_file"], "--db", lab["db"], "--admin", lab["map_file"], "--adjudicate")
    assert both.exit_code == 2 and "port of its own" in both.stderr
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [str(Path(sys.executable).with_name("psychosafe")), "annotate", "serve", str(lab["plan_file"]), "--port",
               str(port)]  # fmt: skip
    env = {**os.environ, "PSYCHOSAFE_ANNOTATION_DB": lab["db"], "PSYCHOSAFE_ADMIN_MAP": str(lab["map_file"])}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True)
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                    assert answer.read() == b"ok"
                break
            except OSError:
                time.sleep(0.25)
        else:
            pytest.fail("no answer in time")
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        told = Path(f"/proc/{children[0]}/environ").read_text()
        assert str(lab["plan_file"]) in told and "PSYCHOSAFE_ADMIN_MAP" not in told
    finally:
        os.killpg(server.pid, signal.SIGINT)
        out, _ = server.communicate(timeout=30)
    assert len(set(re.findall(r"access code of \w+: (\S+)", out))) == 3
