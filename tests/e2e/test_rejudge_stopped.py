"""`psychosafe rejudge` stopped by a budget, a kill, a torn journal or a provider that fails, and given again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai.log import EvalLog

from evals.psychosafe import psychosafe
from evals.rejudge import rejudge
from results.store import Store
from tests.e2e.conftest import Lab, panel_file, run_task
from tests.support.openai_server import Handler, Reply, Request, slow, status
from tests.support.rejudging import (
    USAGE,
    by_number,
    cli,
    contents,
    journal_lines,
    new_log,
    number_of,
    one_line,
    plain_items,
    scores,
    spec,
    statuses,
)

pytestmark = pytest.mark.socket

Run = Callable[..., EvalLog]


# --- budgets ---------------------------------------------------------------------------------------------------------


MANY, SOME = 45, 16


def log_of(n: int, lab: Lab, folder: Path) -> Path:
    return Path(run_task(psychosafe(prompts=plain_items(folder, n)), lab.model(f"of-{n}"), folder).location)


@pytest.fixture(scope="module")
def many_once(module_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log_of(MANY, module_lab, tmp_path_factory.mktemp("many"))


@pytest.fixture
def many(many_once: Path, tmp_path: Path) -> Path:
    """A log of more responses than are judged at once."""
    (tmp_path / "runs").mkdir()
    return Path(shutil.copy(many_once, tmp_path / "runs"))


@pytest.fixture(scope="module")
def some_once(module_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log_of(SOME, module_lab, tmp_path_factory.mktemp("some"))


@pytest.fixture
def some(some_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shorter log, of which four responses are judged at once and not twenty."""
    monkeypatch.setattr(rejudge, "__kwdefaults__", {**(rejudge.__kwdefaults__ or {}), "connections": 4})
    (tmp_path / "runs").mkdir()
    return Path(shutil.copy(some_once, tmp_path / "runs"))


def resumed_equals_whole(log: Path, panel: str, tmp_path: Path, n: int) -> None:
    whole = cli("rejudge", log, "--judges", panel, "--out", tmp_path / "whole", "--no-ingest")
    assert whole.exit_code == 0, whole.output
    a, b = scores(new_log(tmp_path / "whole")), scores(new_log(tmp_path / "out"))
    assert len(a) == n
    # NaN is not equal to itself, but its name is.
    assert {k: (repr(s.value), s.metadata) for k, s in a.items()} == {
        k: (repr(s.value), s.metadata) for k, s in b.items()
    }


@pytest.mark.slow
def test_a_token_limit_stops_and_goes_on(many: Path, lab: Lab, tmp_path: Path) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": by_number}))
    out, store = tmp_path / "out", tmp_path / "store"
    command = ("rejudge", many, "--judges", panel, "--out", out, "--store", store)
    said = one_line(cli(*command, "--max-tokens", 600), "budget is spent")
    asked = lab.count("late")
    # 600 tokens are four verdicts; what was under way by then is not thrown away.
    assert 4 <= asked < MANY
    assert f"{asked * 150:,} tokens" in said and f"{asked} verdicts are kept" in said
    assert len(journal_lines(out)) == asked
    assert [p.name for p in out.iterdir() if p.suffix == ".eval"] == [], "no log that is half written"
    assert not store.exists()
    done = cli(*command, "--max-tokens", 150 * MANY)
    assert done.exit_code == 0, done.output
    assert lab.count("late") == MANY
    assert Counter(number_of(r) for r in lab.calls("late")) == Counter(range(MANY)), "none was asked for twice"
    assert journal_lines(out) == []
    (m,) = Store(store).manifests()
    assert m.usage["judge late"]["calls"] == MANY
    resumed_equals_whole(many, panel, tmp_path, MANY)


@pytest.mark.slow
def test_what_is_paid_for_when_the_budget_ends_is_kept(many: Path, lab: Lab, tmp_path: Path) -> None:
    """A judge that is quick spends the budget while one that is slow, and ever slower, is still at it."""
    slower: Handler = lambda r: by_number(r, delay=0.2 + 0.05 * r.number)  # noqa: E731
    panel = panel_file(tmp_path, spec(lab, {"slow": slower, "quick": by_number}))
    out = tmp_path / "out"
    command = ("rejudge", many, "--judges", panel, "--out", out, "--no-ingest")
    one_line(cli(*command, "--max-tokens", 1800), "budget is spent")
    asked = lab.count("quick") + lab.count("slow")
    assert lab.count("slow") > 0
    assert len(journal_lines(out)) == asked
    lab.judge("slow", by_number)
    assert cli(*command).exit_code == 0
    assert (lab.count("quick"), lab.count("slow")) == (MANY, MANY)


@pytest.mark.slow
def test_a_money_limit(many: Path, lab: Lab, tmp_path: Path) -> None:
    seats = spec(lab, {"late": by_number})
    seats[0]["price"] = {"input": 1000.0, "output": 2000.0}  # 100 and 50 tokens: 0.2 a verdict
    panel = panel_file(tmp_path, seats)
    command = ("rejudge", many, "--judges", panel, "--out", tmp_path / "out", "--no-ingest")
    one_line(cli(*command, "--max-cost", 0.5), "budget is spent")
    asked = lab.count("late")
    assert 3 <= asked < MANY
    assert cli(*command, "--max-cost", 100).exit_code == 0
    assert lab.count("late") == MANY


def test_a_money_limit_needs_prices(some: Path, lab: Lab, tmp_path: Path) -> None:
    seats = spec(lab, {"late": None, "dear": None})
    seats[1]["price"] = {"input": 1.0, "output": 1.0}
    panel = panel_file(tmp_path, seats)
    before = contents(some.parent)
    one_line(cli("rejudge", some, "--judges", panel, "--max-cost", 1, "--store", tmp_path / "s"), "`price`")
    assert lab.count("late") == lab.count("dear") == 0
    assert contents(some.parent) == before
    # Rules cost nothing, so there is nothing to know.
    assert cli("rejudge", some, "--judges", "offline", "--max-cost", 1, "--store", tmp_path / "s").exit_code == 0


@pytest.mark.slow
def test_several_logs_go_on_where_they_stopped(run: Run, lab: Lab, tmp_path: Path) -> None:
    """The first is finished when the budget ends in the second: the same command still goes on, and ingests both."""
    model = lab.model("m")
    paths = []
    for k, n in enumerate((3, 30)):
        (tmp_path / str(k)).mkdir()
        task = psychosafe(prompts=plain_items(tmp_path / str(k), n))
        paths.append(Path(run(task, model, log_dir=tmp_path / "runs" / str(k)).location))
    panel = panel_file(tmp_path, spec(lab, {"late": by_number}))
    store = Store(tmp_path / "store")
    command = ("rejudge", tmp_path / "runs", "--judges", panel, "--out", tmp_path / "out", "--store", store.root)
    stopped = cli(*command, "--max-tokens", 900)
    assert stopped.exit_code == 1
    assert len(list((tmp_path / "out").glob("*.eval"))) == 1, "or this test shows nothing"
    assert 3 < lab.count("late") < 33
    done = cli(*command)
    assert done.exit_code == 0, done.output
    assert lab.count("late") == 33
    assert sorted(m.prompt_set.scored for m in store.manifests()) == [3, 30]


def test_a_torn_journal(some: Path, lab: Lab, tmp_path: Path) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": by_number}))
    out = tmp_path / "out"
    command = ("rejudge", some, "--judges", panel, "--out", out, "--no-ingest")
    one_line(cli(*command, "--max-tokens", 600))
    asked = lab.count("late")
    (journal,) = out.glob("*.verdicts.jsonl")
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-40])
    one_line(cli(*command, "--max-tokens", 1))
    second = lab.count("late") - asked
    assert second > 0
    assert cli(*command).exit_code == 0
    assert lab.count("late") == SOME + 1, "only the verdict that was torn is asked for again"
    for (item, _), score in scores(new_log(out)).items():
        assert score.value["grounding"] == 1 + int(item[1:]) % 5


@pytest.mark.process
def test_killed_in_the_middle(some: Path, lab: Lab, tmp_path: Path) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": slow(0.4, by_number)}, max_connections=4))
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from leaderboard.cli import main; main()", "rejudge", str(some),
               "--judges", panel, "--out", str(out), "--no-ingest"]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             cwd=Path(__file__).resolve().parents[2], start_new_session=True)  # fmt: skip
    end = time.monotonic() + 60
    while lab.count("late") < 6 and time.monotonic() < end and child.poll() is None:
        time.sleep(0.02)
    assert child.poll() is None, "it was done, or dead, before it could be killed"
    os.kill(child.pid, signal.SIGKILL)
    child.wait(30)
    time.sleep(0.3)
    asked, kept = lab.count("late"), len(journal_lines(out))
    assert 6 <= asked < SOME
    assert asked - 5 <= kept <= asked, "all but what was in flight, four at once"
    assert list(out.glob("*.eval")) == []
    done = cli("rejudge", some, "--judges", panel, "--out", out, "--no-ingest")
    assert done.exit_code == 0, done.output
    again = Counter(number_of(r) for r in lab.calls("late"))
    assert set(again) == set(range(SOME))
    twice = sum(n - 1 for n in again.values())
    assert twice == asked - kept <= 5
    assert list(out.glob(".*")) == []
    resumed_equals_whole(some, panel, tmp_path, SOME)


# --- a provider that fails -------------------------------------------------------------------------------------------


def test_provider_errors_are_asked_again(some: Path, lab: Lab, tmp_path: Path) -> None:
    """Refusals and answers that cannot be read are verdicts and are kept; what failed on the way is none."""
    broken = True

    def handler(request: Request) -> Reply:
        n = number_of(request)
        if n == 0:
            return status(500, "out of order") if broken else by_number(request)
        return Reply("I'm sorry, but I can't rate this.", usage=USAGE) if n == 1 else by_number(request)

    panel = panel_file(tmp_path, spec(lab, {"late": handler}))
    out = tmp_path / "out"
    command = ("rejudge", some, "--judges", panel, "--out", out, "--no-ingest")
    one_line(cli(*command, "--max-tokens", 600))
    first = Counter(number_of(r) for r in lab.calls("late"))
    assert first[0] >= 1 and first[1] == 1
    kept = journal_lines(out)
    assert len(kept) == len(first) - 1
    assert not any("provider_error" in line for line in kept)
    broken = False
    assert cli(*command).exit_code == 0
    after = Counter(number_of(r) for r in lab.calls("late"))
    assert after[0] == first[0] + 1
    assert after[1] == 1
    found = scores(new_log(out))
    assert statuses(found["i00", 1], "late") == {"ok"}
    assert statuses(found["i01", 1], "late") == {"judge_refused"}
