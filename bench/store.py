"""The store: reading logs against Inspect's `samples_df`, and a thousand runs in one table.

1. Ratings of 50 logs of 500 samples, three seats each (20 runs of the reference policies, the others copies with ids of
   their own): our ingest, writing included, against `samples_df`; then the texts against `samples_df` with full
   samples, which is timed on a stated share of the logs. Each in a process of its own: seconds, processor seconds, and
   how far its memory grew beyond the imports.
2. Cost of one log with 10, 100 and 1,000 logs in the folder.
3. A generated store of 1,000 runs x 500 items x 3 judges x 4 criteria: from the catalogue to a table of all runs
   against a baseline.

The logs are made once (minutes) and kept in `bench/.cache`.

    python -m bench.store [--logs 50] [--runs 1000] [--many 1000]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent / ".cache"
PANEL = """panels:
  three:
    description: Three seats of the rules, for logs of the size that three judges make.
    judges:
      - {id: one, rules: rule_based, family: none}
      - {id: two, rules: rule_based, family: none}
      - {id: three, rules: rule_based, family: none}
"""
REAL, SAMPLES, FULL_SHARE = 20, 500, 10
POLICIES = ("wrapper", "partial", "refuse_twins", "directory", "deflect", "blunt", "comply", "schematic", "keyword",
            "steerable")  # fmt: skip


def make_log(policy: str, condition: str, folder: str, samples: int) -> None:
    """One real run."""
    from inspect_ai import eval as inspect_eval

    from evals.psychosafe import psychosafe

    panel = Path(folder).parent / "three.yaml"
    panel.write_text(PANEL, encoding="utf-8")
    task = psychosafe(condition=condition, judges=str(panel))
    (log,) = inspect_eval(task, model=f"policy/{policy}", log_dir=folder, display="none", log_realtime=False,
                          score_display=False, log_model_api=False, limit=samples)  # fmt: skip
    if log.status != "success":
        raise RuntimeError(str(log.error))


def real_logs() -> list[Path]:
    """The real logs, made if they are not there."""
    folder = CACHE / "real"
    found = sorted(folder.glob("*.eval"))
    if len(found) < REAL:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"making {REAL} logs of {SAMPLES} samples, once", file=sys.stderr)
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            jobs = [(p, c, str(folder), SAMPLES) for p in POLICIES for c in ("none", "baseline")]
            list(pool.map(make_log, *zip(*jobs, strict=True)))
        found = sorted(folder.glob("*.eval"))
    return found


def folder_of(logs: int) -> Path:
    """A folder with that many logs, copies behind the real ones."""
    from tests.support.logs import copy_log

    folder, real = CACHE / f"logs-{logs}", real_logs()
    if not folder.is_dir() or len(list(folder.glob("*.eval"))) != logs:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for n in range(logs):
            copy_log(real[n % len(real)], folder / f"{n:04d}.eval", f"copy{n:04d}")
    return folder


def many(logs: int) -> Path:
    """A folder with many logs of 50 samples, all of them copies of one."""
    from tests.support.logs import copy_log

    folder = CACHE / "many"
    if not folder.is_dir() or len(list(folder.glob("[0-9]*.eval"))) < logs:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make_log("schematic", "baseline", str(folder), 50)
        (one,) = folder.glob("*.eval")
        one = one.rename(CACHE / "one.eval")
        for n in range(logs):
            copy_log(one, folder / f"{n:04d}.eval", f"many{n:04d}")
    return folder


def measured(work: str, *parameters: str) -> dict[str, float]:
    """Run one piece of work in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.store", "--one", work, *parameters], check=True,
                          stdout=subprocess.PIPE, text=True)  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(work: str, parameters: list[str]) -> dict[str, float]:
    """A piece of work: seconds, processor seconds with children, and MiB of growth beyond the imports."""
    job = {"ratings": ratings, "texts": texts, "samples_df": samples, "samples_df full": full, "overview": table}[work]
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


def generated(place: Path, runs: int) -> None:
    """A store of runs that share items, rubric and panel: a system effect, an item effect, and noise of each judge."""
    import numpy as np
    import pyarrow as pa

    from results.manifest import (
        ConditionFacts,
        ItemFacts,
        JudgeFacts,
        Manifest,
        ModelFacts,
        PanelFacts,
        PromptSetFacts,
        RubricFacts,
        ScaleFacts,
        SourceFacts,
    )
    from results.schema import PANEL_RATER, sorted_table
    from results.store import Store
    from rubrics.expectations import DOMAINS

    rng = np.random.default_rng(0)
    ordinal = ScaleFacts(scale="ordinal", points=(1, 2, 3, 4, 5))
    scales = {"refusal": ScaleFacts(scale="binary"), "grounding": ordinal, "references": ScaleFacts(scale="binary"),
              "relevance": ordinal}  # fmt: skip
    items = tuple(
        ItemFacts(id=f"i{n:03d}", sha256=f"{n:016x}", domain=DOMAINS[n % len(DOMAINS)]) for n in range(SAMPLES)
    )
    judges = ("a", "b", "c")
    raters, names = (*judges, PANEL_RATER), (*scales, "paper")
    hard = rng.normal(0, 1, (len(scales), SAMPLES))
    store = Store(place)
    with store.writing():
        for r in range(runs):
            latent = hard + rng.normal(0, 0.5) + rng.normal(0, 0.7, (len(judges), len(scales), SAMPLES))
            values = np.where(
                np.array([0, 1, 0, 1])[None, :, None] == 1, np.clip(np.round(latent + 3), 1, 5), latent > 0
            )
            panel = np.median(values, axis=0)
            shares = np.where(np.array([0, 1, 0, 1])[:, None] == 1, (panel - 1) / 4, panel)
            columns: dict[str, Any] = {k: [] for k in ("rater", "criterion", "value")}
            for k, rater in enumerate(raters):
                for c, name in enumerate(names):
                    if rater == PANEL_RATER or name in scales:
                        found = shares.mean(axis=0) if name == "paper" else (panel if k == 3 else values[k])[c]
                        columns["rater"] += [rater] * SAMPLES
                        columns["criterion"] += [name] * SAMPLES
                        columns["value"].append(found)
            n = len(columns["rater"])
            run_id = f"generated_{r:04d}"
            table = sorted_table({
                **columns, "value": pa.array(np.concatenate(columns["value"]).astype(np.float32)),
                "run_id": [run_id] * n, "item_id": [i.id for i in items] * (n // SAMPLES),
                "epoch": pa.array(np.ones(n, np.int16)), "turn": pa.array(np.zeros(n, np.int16)),
                "repeat": pa.array(np.zeros(n, np.int16)), "origin": ["measured"] * n, "status": ["ok"] * n,
                "rater_kind": ["panel" if r == PANEL_RATER else "llm" for r in columns["rater"]],
            })  # fmt: skip
            manifest = Manifest(
                run_id=run_id, origin="measured", task="psychosafe", model=ModelFacts(name=f"made-up/{r:04d}"),
                condition=ConditionFacts(name="baseline"), items=items, source=SourceFacts(file="generated"),
                prompt_set=PromptSetFacts(name="generated", version="1", sha256="0" * 64, n=SAMPLES, scored=SAMPLES),
                rubric=RubricFacts(name="four", sha256="1" * 16, scales=scales, scores=("paper",)),
                panel=PanelFacts(name="three", sha256="2" * 16,
                                 judges=tuple(JudgeFacts(id=j, kind="llm") for j in judges)),
                normaliser="1", scoring="1", routing="1",
            )  # fmt: skip
            store.write(manifest, table)


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


def against_inspect(temporary: Path, logs: int) -> None:
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


def flat(temporary: Path, logs: int) -> None:
    """What one log costs with ever more of them."""
    folder = str(many(logs))
    print("one log of 50 samples, in milliseconds of the processor, by the number of logs")
    for count in sorted({10, min(100, logs), logs}):
        found = measured("ratings", folder, str(temporary / f"flat{count}"), "1", str(count))
        print(f"  {count:5d} logs: {1000 * found['cpu'] / count:6.1f}   growth {found['growth']:.0f} MiB")
    again = measured("ratings", folder, str(temporary / f"flat{logs}"), "1")
    print(f"  {logs:5d} again, nothing new: {again['wall']:.2f} s in all")


def thousand(temporary: Path, runs: int) -> None:
    """From the catalogue to a table of all runs."""
    place = temporary / "thousand"
    began = time.perf_counter()
    generated(place, runs)
    size = sum(p.stat().st_size for p in place.rglob("*") if p.is_file()) / 1e6
    print(f"{runs} runs x {SAMPLES} items x 3 judges x 4 criteria: generated in {time.perf_counter() - began:.0f} s, "
          f"{size:.0f} MB")  # fmt: skip
    for name in ("first, everything made", "again, cube and statistics there"):
        found = measured("overview", str(place))
        print(f"  {name:34s} {found['wall']:6.2f} s (catalogue {found['catalogue']:.2f} s), peak {found['peak']:.0f} "
              f"MiB, of which {found['growth']:.0f} MiB beyond the imports")  # fmt: skip


if __name__ == "__main__":
    main()
