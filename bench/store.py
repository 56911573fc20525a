"""The store: reading logs against Inspect's `samples_df`, and a thousand runs in one table.

1. Ratings of 50 logs of 500 samples, three seats each (6 runs of reference policies, the others copies with ids of
   their own): our ingest, writing included, against `samples_df`; then the texts against `samples_df` with full
   samples, which is timed on a stated share of the logs. Each in a process of its own: seconds, processor seconds, and
   how far its memory grew beyond the imports.
2. Cost of one log with 10, 100 and 1,000 logs in the folder.
3. A generated store of 1,000 runs x 500 items x 3 judges x 4 criteria: from the catalogue to a table of all runs
   against a baseline.

    python -m bench.store [--logs 50] [--runs 1000] [--many 1000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.material import REAL, SAMPLES, folder_of, generated, many
from bench.table import Row

FULL_SHARE = 5
THOUSAND = "thousand"


def measured(work: str, *parameters: str) -> dict[str, float]:
    """Run one piece of work in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.store", "--one", work, *parameters], check=True,
                          stdout=subprocess.PIPE, text=True)  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(work: str, parameters: list[str]) -> dict[str, float]:
    """A piece of work: seconds, processor seconds with children, and MiB of growth beyond the imports."""
    job = {
        "ratings": ratings,
        "texts": texts,
        "samples_df": samples,
        "samples_df full": full,
        "overview": table,
        "frame": frame,
    }[work]
    run, extra = job(*parameters)
    before = _peak()
    wall, cpu = time.perf_counter(), _cpu()
    told = run() or {}
    spent = {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}
    after = _peak()
    return {**spent, "growth": after - before, "peak": after, **extra, **told}


def _peak() -> float:
    """MiB of memory at the highest; getrusage would count what the parent had before it started this one."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(status.split("VmHWM:")[1].split()[0]) / 1024


def expect(fact: bool) -> None:
    """Time is worth nothing where the work was not done."""
    if not fact:
        raise RuntimeError("the work was not done")


def _cpu() -> float:
    own, children = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def ratings(folder: str, store: str, workers: str = "1", first: str = "") -> tuple[Any, dict[str, float]]:
    """The first stage."""
    from results.ingest import ingest
    from results.store import Store

    paths = [*sorted(Path(folder).glob("*.eval"))[: int(first or 10**9)]]

    def run() -> None:
        report = ingest(Store(Path(store)), paths, workers=int(workers) or None)
        expect(not report.refused and len(report.written) + len(report.unchanged) == len(paths))

    return run, {}


def texts(folder: str, store: str) -> tuple[Any, dict[str, float]]:
    """The second stage."""
    from results.ingest import ingest
    from results.store import Store

    def run() -> None:
        expect(len(ingest(Store(Path(store)), [folder], texts=True).texts) == len(list(Path(folder).glob("*.eval"))))

    return run, {}


def samples(folder: str) -> tuple[Any, dict[str, float]]:
    """Inspect's summaries."""
    from inspect_ai.analysis import samples_df

    logs = sorted(map(str, Path(folder).glob("*.eval")))

    def run() -> None:
        expect(len(samples_df(logs, quiet=True)) == SAMPLES * len(logs))

    return run, {}


def full(folder: str, share: str) -> tuple[Any, dict[str, float]]:
    """Inspect's full samples."""
    from inspect_ai.analysis import SampleScores, SampleSummary, samples_df

    logs = sorted(map(str, Path(folder).glob("*.eval")))[: int(share)]

    def run() -> None:
        expect(len(samples_df(logs, columns=[*SampleSummary, *SampleScores], quiet=True)) == SAMPLES * len(logs))

    return run, {}


def table(store: str) -> tuple[Any, dict[str, float]]:
    """The catalogue, and all runs against one."""
    from results.overview import overview
    from results.store import Store

    def run() -> dict[str, float]:
        began = time.perf_counter()
        opened = Store(Path(store))
        found = list(opened.manifests())
        catalogue = time.perf_counter() - began
        made = overview(opened, found[0])
        expect(all(len(o.lines) == len(found) for o in made) and len(made) == 5)
        return {"catalogue": catalogue}

    return run, {}


def frame(store: str) -> tuple[Any, dict[str, float]]:
    """What is usual: all ratings as one frame of strings, grouped for means and standard errors over items."""
    import pandas as pd
    import pyarrow.parquet as pq

    def run() -> dict[str, float]:
        files = sorted(Path(store).glob("runs/*/ratings-*.parquet"))
        every = pd.concat([pq.read_table(f).to_pandas(strings_to_categorical=False) for f in files])
        strings = {c: every[c].astype(str) for c in ("run_id", "item_id", "rater", "criterion")}
        every = every.assign(**strings)
        panel = every[every["rater"] == "panel"]
        found = panel.groupby(["run_id", "criterion"])["value"].agg(["mean", "sem"])
        expect(len(found) == 5 * len(files))
        return {}

    return run, {}


def rows(folder: Path, logs: int = 50, runs: int = 1000) -> list[Row]:
    """The parts that fit into `make bench`: against Inspect, and a thousand runs."""
    return [*against_inspect(folder, logs), *thousand(folder, runs)]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], given.one[1:])))
        return
    with tempfile.TemporaryDirectory() as temporary:
        against_inspect(Path(temporary), given.logs)
        flat(Path(temporary), given.many)
        thousand(Path(temporary), given.runs)


def against_inspect(temporary: Path, logs: int) -> list[Row]:
    """Ours and Inspect's, in one run."""
    folder = str(folder_of(logs))
    theirs = measured("samples_df", folder)
    ours = measured("ratings", folder, str(temporary / "one"))
    both = measured("ratings", folder, str(temporary / "two"), "2")
    said = measured("texts", folder, str(temporary / "one"))
    share = min(FULL_SHARE, logs)
    whole = measured("samples_df full", folder, str(share))
    scale = logs / share
    print(f"{logs} logs of {SAMPLES} samples, {REAL} of them real; seconds, processor seconds, MiB of growth")
    for name, found, by in (
        ("samples_df", theirs, 1.0), ("ratings, one process", ours, 1.0), ("ratings, two processes", both, 1.0),
        (f"samples_df, full samples (of {share}, scaled)", whole, scale), ("texts", said, 1.0),
    ):  # fmt: skip
        print(f"  {name:44s} {by * found['wall']:8.2f} {by * found['cpu']:8.2f} {found['growth']:8.0f}")
    print(f"  ratings: {theirs['wall'] / ours['wall']:.1f} times faster, {theirs['cpu'] / ours['cpu']:.1f} in "
          f"processor seconds, {ours['growth'] / theirs['growth']:.3f} of the growth")  # fmt: skip
    print(f"  texts:   {scale * whole['wall'] / said['wall']:.1f} times faster")
    return [
        Row(
            f"Ratings of {logs} logs of {SAMPLES} samples into the store",
            f"{ours['wall']:.1f} s, {ours['growth']:.0f} MiB",
            f"Inspect's `samples_df`, {theirs['wall']:.1f} s, {theirs['growth']:.0f} MiB",
            f"{theirs['wall'] / ours['wall']:.1f} times",
        ),
        Row(
            "Prompts, answers and reasons of the same logs",
            f"{said['wall']:.1f} s",
            f"`samples_df` of full samples, {scale * whole['wall']:.0f} s (scaled from {share} of {logs} logs)",
            f"{scale * whole['wall'] / said['wall']:.1f} times",
        ),
    ]


def flat(temporary: Path, logs: int) -> None:
    """What one log costs with ever more of them."""
    folder = str(many(logs))
    print("one log of 50 samples, in milliseconds of the processor, by the number of logs")
    for count in sorted({10, min(100, logs), logs}):
        found = measured("ratings", folder, str(temporary / f"flat{count}"), "1", str(count))
        print(f"  {count:5d} logs: {1000 * found['cpu'] / count:6.1f}   growth {found['growth']:.0f} MiB")
    again = measured("ratings", folder, str(temporary / f"flat{logs}"), "1")
    print(f"  {logs:5d} again, nothing new: {again['wall']:.2f} s in all")


def thousand(temporary: Path, runs: int) -> list[Row]:
    """From the catalogue to a table of all runs."""
    place = temporary / THOUSAND
    began = time.perf_counter()
    generated(place, runs)
    size = sum(p.stat().st_size for p in place.rglob("*") if p.is_file()) / 1e6
    print(f"{runs} runs x {SAMPLES} items x 3 judges x 4 criteria: generated in {time.perf_counter() - began:.0f} s, "
          f"{size:.0f} MB")  # fmt: skip
    names = ("first, everything made", "again, cube and statistics there")
    first, again = (measured("overview", str(place)) for _ in names)
    for name, found in zip(names, (first, again), strict=True):
        print(f"  {name:34s} {found['wall']:6.2f} s (catalogue {found['catalogue']:.2f} s), peak {found['peak']:.0f} "
              f"MiB, of which {found['growth']:.0f} MiB beyond the imports")  # fmt: skip
    usual = measured("frame", str(place))
    print(f"  {'pandas, a frame of strings':34s} {usual['wall']:6.2f} s, peak {usual['peak']:.0f} MiB")
    return [
        Row(
            f"{runs:,} runs x {SAMPLES} items x 3 judges x 4 criteria, all against one, with intervals",
            f"{first['wall']:.1f} s, {first['peak']:.0f} MiB; again {again['wall']:.1f} s",
            f"means alone from a pandas frame of strings, {usual['wall']:.0f} s, {usual['peak']:,.0f} MiB",
            f"{usual['wall'] / first['wall']:.1f} times; again {usual['wall'] / again['wall']:.0f}",
        )
    ]


if __name__ == "__main__":
    main()
