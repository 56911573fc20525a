"""What the harness costs over the calls that it makes: 500 samples of one answer and three verdicts each.

1. Our scorer against bare Inspect that makes the same calls and reads the same verdicts, and against a scorer that does
   so and hands over a score like ours, which is the floor; on a provider within the process, no two answers alike:
   processor time, in interleaved rounds, what a run costs once apart from what each sample costs.
2. How suites are run against Inspect's own settings, both on a loopback server with 50 ms latency and 100 connections;
   a plain asyncio client beside them as the floor.
3. Two runners of one suite against one, from the first call to the last answer: start-up does not count.
4. At 1 s latency, against a pipeline that asks one thing at a time, which is timed on a share and scaled.

    python -m bench.suite [--samples 500] [--pairs 7]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.table import Row

LATENCY, SLOW, CONNECTIONS, SHARE = 0.05, 1.0, 100, 8
FEW = 10
"""Samples of a run that is taken off a longer one, so that what a run costs once is told from what a sample costs."""
PANEL = """panels:
  three:
    judges:
      - {{id: one, model: {0}/judge1, family: a, config: {{max_connections: 100}}}}
      - {{id: two, model: {0}/judge2, family: b, config: {{max_connections: 100}}}}
      - {{id: three, model: {0}/judge3, family: c, config: {{max_connections: 100}}}}
"""


def run(task: Any, model: str, folder: str, samples: int, preset: bool) -> tuple[float, float]:
    """Seconds and processor seconds of one eval."""
    from inspect_ai import eval as inspect_eval

    from evals.suites.run import PRESET

    settings = {k: v for k, v in PRESET.items() if k.startswith(("log_", "score_"))} if preset else {}
    began, spent = time.perf_counter(), time.process_time()
    # The display "none" lays out a table of all scores that nobody sees: a second, and never the same.
    (log,) = inspect_eval(task, model=model, log_dir=folder, display="log", log_level="critical", limit=samples,
                          max_connections=CONNECTIONS, **settings)  # fmt: skip
    if log.status != "success":
        raise RuntimeError(str(log.error))
    return time.perf_counter() - began, time.process_time() - spent


def scorer_overhead(folder: Path, samples: int, pairs: int) -> list[Row]:
    """Part 1."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    from bench.scoring import INSIDE, bare, carried, register
    from evals.psychosafe import psychosafe

    register()
    panel = folder / "inside.yaml"
    panel.write_text(PANEL.format(INSIDE), encoding="utf-8")
    model = f"{INSIDE}/answers"

    def ours() -> Any:
        return psychosafe(judges=f"{panel}@three")

    run(ours(), model, str(folder / "warm"), 20, preset=True)
    done = read_eval_log(list_eval_logs(str(folder / "warm"))[0])
    (score,) = (done.samples or [])[0].scores.values()  # type: ignore[union-attr]
    kinds: list[Callable[[], Any]] = [ours, lambda: bare(str(panel)), lambda: carried(str(panel), score)]
    for kind in kinds[1:]:
        run(kind(), model, str(folder / "warm"), 20, preset=True)
    found = []
    for n in range(pairs):
        spent = {}
        for at in (0, 1, 2) if n % 2 else (2, 1, 0):
            for size in (FEW, samples):
                gc.collect()
                spent[at, size] = run(kinds[at](), model, str(folder / f"{n}-{at}"), size, preset=True)[1] * 1e3
        each = [(spent[at, samples] - spent[at, FEW]) / (samples - FEW) for at in (0, 1, 2)]
        found.append([*each, *(spent[at, FEW] - FEW * each[at] for at in (0, 1, 2))])
    mine, plain, floor, *fixed = (statistics.median(x) for x in zip(*found, strict=True))
    print(f"scorer: {mine:.1f} ms of processor a sample, bare Inspect {plain:.1f}, a scorer that only hands over such "
          f"a score {floor:.1f}\n  ({pairs} rounds of {samples} less {FEW} samples); a run's start and end "
          f"{fixed[0]:.0f}, {fixed[1]:.0f} and {fixed[2]:.0f} ms")  # fmt: skip
    told = {}
    for name, x, y in (("bare Inspect", 0, 1), ("such a score", 0, 2), ("bare Inspect, of such a score", 2, 1)):
        over = [one[x] - one[y] for one in found]
        told[name] = f"{statistics.median(over):+.1f} ms ({min(over):.1f} to {max(over):.1f}, {pairs} rounds)"
        print(f"  over {name}: {told[name]} a sample")
    return [
        Row(
            "A sample with three judges, model calls that cost nothing",
            f"{mine:.1f} ms of processor",
            f"bare Inspect with the same calls, {plain:.1f} ms",
            told["bare Inspect"],
            f"handing such a score to Inspect, {told['bare Inspect, of such a score']}",
        )
    ]


@contextmanager
def server(latency: float) -> Iterator[str]:
    """The loopback server, in a process of its own."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench.serving", str(port), str(latency)])
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def stats(url: str) -> dict[str, float]:
    """Calls, and seconds from the first to the last, since it was asked before."""
    with urllib.request.urlopen(f"{url}/stats?reset", timeout=5) as answer:  # noqa: S310
        return dict(json.loads(answer.read()))


def suite_text(panel: Path, models: int) -> str:
    """A suite of so many models on the loopback server."""
    listed = [{"id": f"m{n}", "model": f"openai-api/bench/answers{'' if n == 1 else n}"} for n in range(1, models + 1)]
    return json.dumps({"suite": "bench", "models": listed, "tasks": [{"task": "psychosafe"}],
                       "panel": f"{panel}@three", "connections": CONNECTIONS})  # fmt: skip


def run_suite(folder: Path, url: str, panel: Path, models: int, workers: int, limit: int) -> dict[str, float]:
    """`psychosafe run` in a process of its own; calls and seconds as the server saw them."""
    path = folder / f"suite-{models}-{workers}-{limit}.yaml"
    said = json.loads(suite_text(panel, models)) | {"limit": limit}
    path.write_text(json.dumps(said), encoding="utf-8")
    stats(url)
    root = tempfile.mkdtemp(dir=folder)
    command = [sys.executable, "-c", "from leaderboard.cli import main; main()", "run", str(path), "--dir", root]
    subprocess.run([*command, "--no-ingest", "--workers", str(workers)], check=True, capture_output=True)
    return stats(url)


async def floor(url: str, calls: int, connections: int) -> float:
    """Seconds that a plain client takes for the same number of calls."""
    import aiohttp

    body = {"model": "answers", "messages": [{"role": "user", "content": "hello " * 300}]}
    gate = asyncio.Semaphore(connections)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:

        async def one() -> None:
            async with gate, session.post(f"{url}/v1/chat/completions", json=body) as answer:
                await answer.json()

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(calls)))
        return time.perf_counter() - began


def one_at_a_time(url: str, calls: int) -> float:
    """Seconds a call of a pipeline that asks one thing after the other."""
    body = json.dumps({"model": "answers", "messages": [{"role": "user", "content": "hello " * 300}]}).encode()
    began = time.perf_counter()
    for _ in range(calls):
        request = urllib.request.Request(f"{url}/v1/chat/completions", body, {"content-type": "application/json"})  # noqa: S310
        urllib.request.urlopen(request, timeout=30).read()  # noqa: S310
    return (time.perf_counter() - began) / calls


def served(folder: Path, samples: int) -> list[Row]:
    """Parts 2, 3 and 4."""
    import os

    from evals.psychosafe import psychosafe

    panel = folder / "served.yaml"
    panel.write_text(PANEL.format("openai-api/bench"), encoding="utf-8")
    calls = samples * 4
    with server(LATENCY) as url:
        os.environ |= {"BENCH_BASE_URL": f"{url}/v1", "BENCH_API_KEY": "none"}
        plain = asyncio.run(floor(url, calls, 4 * CONNECTIONS))
        took = {True: [], False: []}  # type: dict[bool, list[float]]
        for n in range(3):
            for preset in (True, False) if n % 2 else (False, True):
                task = psychosafe(judges=f"{panel}@three")
                name = str(folder / f"served-{n}-{preset}")
                took[preset].append(run(task, "openai-api/bench/answers", name, samples, preset)[0])
        ours, default = (statistics.median(took[p]) for p in (True, False))
        ratios = [d / o for d, o in zip(took[False], took[True], strict=True)]
        print(f"settings: {calls} calls in {ours:.1f} s ({calls / ours:.0f}/s) as a suite is run, Inspect's own "
              f"{default:.1f} s ({calls / default:.0f}/s): {statistics.median(ratios):.2f} times "
              f"({min(ratios):.2f} to {max(ratios):.2f}, 3 pairs); plain asyncio client {plain:.1f} s")  # fmt: skip
        half = samples // 2
        one = run_suite(folder, url, panel, 2, 1, half)
        two = run_suite(folder, url, panel, 2, 2, half)
        speed = [c["calls"] / c["seconds"] for c in (one, two)]
        print(f"runners: one {speed[0]:.0f} calls/s, two {speed[1]:.0f}: {speed[1] / speed[0]:.2f} times")
    with server(SLOW) as url:
        os.environ |= {"BENCH_BASE_URL": f"{url}/v1"}
        each = one_at_a_time(url, SHARE)
        found = run_suite(folder, url, panel, 1, 1, samples)
        ratio = each * calls / found["seconds"]
        print(f"at {SLOW:.0f} s latency: {found['calls']:.0f} calls in {found['seconds']:.1f} s; one at a time "
              f"{each * calls:.0f} s ({SHARE} of {calls} calls timed): {ratio:.0f} times")  # fmt: skip
    return [
        Row(
            f"{calls:,} calls at {LATENCY * 1000:.0f} ms latency, as a suite is run",
            f"{ours:.1f} s ({calls / ours:.0f} calls/s)",
            f"Inspect with its own settings, {default:.1f} s",
            f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})",
            f"a plain asyncio client, {plain:.1f} s",
        ),
        Row(
            "Two runners of one suite of two models, start-up apart",
            f"{speed[1]:.0f} calls/s",
            f"one runner, {speed[0]:.0f} calls/s",
            f"{speed[1] / speed[0]:.2f} times",
            "2 times",
        ),
        Row(
            f"{calls:,} calls at {SLOW:.0f} s latency",
            f"{found['seconds']:.0f} s",
            f"one at a time, {each * calls:,.0f} s (scaled from {SHARE} calls)",
            f"{ratio:.0f} times",
        ),
    ]


def rows(folder: Path) -> list[Row]:
    """What fits into `make bench`."""
    return [*scorer_overhead(folder, 50, 7), *served(folder, 120)]


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--only", choices=("scorer", "served"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if args.only != "served":
            scorer_overhead(Path(name), min(args.samples, 50), args.pairs)
        if args.only != "scorer":
            served(Path(name), args.samples)


if __name__ == "__main__":
    main()
