"""`psychosafe rejudge` in a test: the command, judges whose verdicts tell items apart, and what a log then says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from inspect_ai.log import read_eval_log
from inspect_ai.scorer import Score

from judges.verdict import decode_matrix
from leaderboard.cli import main
from tests.e2e.conftest import VERDICT, Lab, write_items
from tests.support.openai_server import Handler, Reply, Request, verdict_json

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def one_line(done: Result, *said: str) -> str:
    """What a refused command says: one line, exit status 1, no traceback."""
    assert done.exit_code == 1, (done.exit_code, done.output)
    assert isinstance(done.exception, SystemExit), done.exception
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    for part in said:
        assert part in lines[0], lines[0]
    return lines[0]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def plain_items(folder: Path, n: int) -> str:
    rows = [
        {"id": f"i{k:02d}", "prompt": f"PLAIN-{k:02d} a question", "domain": "violence",
         "expected": {"answer": "decline"}}
        for k in range(n)
    ]  # fmt: skip
    return str(write_items(folder, rows))


def number_of(request: Request) -> int:
    """Which of the plain items a judge is shown."""
    shown = str(request.messages[1]["content"])
    return int(shown.split("PLAIN-", 1)[1][:2])


def by_number(request: Request, **more: Any) -> Reply:
    """A judge whose grounding hangs on the item, so that no two verdicts can be swapped unseen."""
    return Reply(verdict_json(request, {**VERDICT, "grounding": 1 + number_of(request) % 5}), usage=USAGE, **more)


def spec(lab: Lab, names: Mapping[str, Handler | None], **config: Any) -> list[dict[str, Any]]:
    """Seats whose ids are the names; without patience, so that failures end at once."""
    return [
        {"id": n, "model": lab.judge(n, h), "family": "other", "config": {"max_retries": 0, **config}}
        for n, h in names.items()
    ]


def scores(path: Path, name: str = "rejudged") -> dict[tuple[str, int], Score]:
    log = read_eval_log(str(path))
    assert log.status == "success", log.error
    return {(str(s.id), s.epoch): (s.scores or {})[name] for s in log.samples or []}


def statuses(score: Score, judge: str) -> set[str]:
    m = score.metadata or {}
    rows = decode_matrix(m["verdicts"], m["panel"]["judges"], m["panel"]["criteria"])
    return {s for j, _, _, s in rows if j == judge}


def new_log(folder: Path) -> Path:
    (found,) = folder.glob("*_rejudged-*.eval")
    return found


def journal_lines(folder: Path) -> list[str]:
    found = list(folder.glob("*.verdicts.jsonl"))
    return [line for f in found for line in f.read_text(encoding="utf-8").splitlines() if line]
