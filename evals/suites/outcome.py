"""How a run ended, read from its log, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from evals.suites.claims import Claim
from evals.suites.plan import PlannedRun
from judges.verdict import STATUS_CODES

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

_REQUEST: Final = re.compile(r"\}(?:\n|\\n)(?:\n|\\n)")


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        key: The run.
        status: `done`; `failed` with samples that have no score; `error` where it could not be run.
        samples: Samples with a score.
        failed: Samples without.
        unjudged: Verdicts that are missing because the judge's provider failed.
        calls: Calls that came back, to all who held the run.
        wasted: Of these, calls in vain: with an error, or with an answer that is not in the log that counts.
        deaths: Runners that died while they held the run. What came back to each in its last beat is not known, so
            that `calls` and `wasted` are then the least that they can be.
        log: Name of that log within the run's folder of logs; of benchmarks, of the results within theirs.
        reason: What went wrong.
    """

    key: str
    status: str
    samples: int = 0
    failed: int = 0
    unjudged: int = 0
    calls: int = 0
    wasted: int = 0
    deaths: int = 0
    log: str = ""
    reason: str = ""


def outcome_of(run: PlannedRun, success: bool, logs: Sequence[EvalLog], claim: Claim, allowed: float) -> Outcome:
    """What came out of a run of this process.

    Args:
        run: The run.
        success: Whether Inspect says that every sample has a score.
        logs: The headers that Inspect returns, (1).
        claim: The claim under which it ran, with the calls of whoever held the run before.
        allowed: Share of samples that may be missing.
    """
    from inspect_ai.event import ModelEvent
    from inspect_ai.log import read_eval_log

    from evals.suites.counting import COUNTS

    (header,) = logs
    log = read_eval_log(header.location)
    samples = log.samples or []
    ended = [s for s in samples if s.error is None]
    failed = (log.eval.dataset.samples or 0) * (log.eval.config.epochs or 1)
    wanted = len(log.eval.dataset.sample_ids or ()) * (log.eval.config.epochs or 1) or failed
    kept = sum(
        isinstance(e, ModelEvent) and e.cache != "read" and e.error is None for s in ended for e in s.events
    )  # fmt: skip
    # Of a runner that died, the last calls are not counted, but what it kept of them is.
    calls = max(claim.carried + COUNTS.calls, kept)
    done = success and len(samples) == wanted and wanted - len(ended) <= allowed * wanted
    missing = [why for s in ended for score in (s.scores or {}).values() for why in _unjudged(score)]
    reason = "" if done and len(ended) == wanted else _why(log, samples)
    if not reason and missing:
        reason = f"a judge failed: {missing[0]}"
    return Outcome(
        run.key, "done" if done else "failed", len(ended), wanted - len(ended), len(missing), calls,
        max(calls - kept, 0), claim.deaths, header.location.rsplit("/", 1)[-1], reason,
    )  # fmt: skip


def _unjudged(score: Any) -> list[str]:
    """Why verdicts are missing from a score, for each judge whose provider failed."""
    metadata = score.metadata or {}
    # Of a dialogue, every turn has verdicts of its own.
    matrices = [metadata.get("verdicts"), *(v.get("verdicts") for v in metadata.values() if isinstance(v, dict))]
    codes = [str(row) for m in matrices if isinstance(m, dict) for row in m.get("s") or ()]
    failures = metadata.get("failures")
    why = next(iter(failures.values()), "") if isinstance(failures, dict) else ""
    failed = str(STATUS_CODES.index("provider_error"))
    return [one_line(why) for row in codes if failed in row]


def _why(log: Any, samples: Sequence[Any]) -> str:
    """Why a run is not done, from its log: the run's own error, or that of its samples that is most frequent."""
    told = Counter(one_line(s.error.message) for s in samples if s.error is not None)
    if not told and log.error is not None:
        return one_line(log.error.message)
    if not told:
        return f"its log has the status {log.status}, and samples are missing"
    (why, n), *others = told.most_common()
    more = f" (and {len(others)} other error{'s' * (len(others) > 1)})" if others else ""
    return f"{n} sample{'s' * (n > 1)}: {why}{more}"


def one_line(what: object) -> str:
    """An error as one line, without the request, which Inspect puts in front of what the provider said."""
    text = str(what) or f"{type(what).__name__} without a message"
    if "Request:" in text:
        # The message, or how Python writes it; behind the request's last brace stands an empty line.
        *_, text = _REQUEST.split(text) if _REQUEST.search(text) else ["the provider refused the request"]
        text = text.replace("\\'", "'").replace('\\"', '"').removesuffix("')").removesuffix('")')
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:200]


def damaged(logs: str) -> str:
    """Which of the logs in a folder cannot be read, and what to do; nothing where all can be."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    with suppress(Exception):
        for log in list_eval_logs(logs):
            try:
                read_eval_log(log, header_only=True)
            except Exception:  # noqa: BLE001  (whatever a damaged file raises)
                name = log.name.rpartition("/")[2]
                return f"its log {name} cannot be read; move it out of the folder, and the samples in it are asked anew"
    return ""
