"""What a study of any size takes: calls, tokens, hours, bytes and money, from figures that were measured or are stated.

    python scripts/scaling.py --runs 1000 --items 10000 --judges 5

Every assumption is an option; docs/scaling.md says where each default comes from.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Study:
    """A study, and what is known of its parts. Tokens a call; rates a second; bytes a sample."""

    runs: int = 1000
    items: int = 10_000
    judges: int = 5
    prompt: int = 90
    system: int = 1_000
    answer: int = 400
    rubric: int = 900
    verdict: int = 240
    harness_ms: float = 10.0
    processes: int = 32
    decode: float = 515.0
    gpus: int = 8
    log_bytes: int = 9_000
    rating_bytes: float = 0.6
    criteria: int = 6
    scores: int = 4
    ingest_ms: float = 0.025
    money_in: float = 0.25
    money_out: float = 2.0


def table(s: Study) -> list[tuple[str, str]]:
    """Quantities in words."""
    samples = s.runs * s.items
    judged = samples * s.judges
    calls = samples + judged
    read = samples * (s.prompt + s.system) + judged * (s.rubric + s.prompt + s.answer)
    written = samples * s.answer + judged * s.verdict
    ratings = samples * (s.judges + 1) * s.criteria + samples * s.scores
    cube = samples * (s.judges + 1) * s.criteria + 4 * samples * s.scores
    harness = calls * s.harness_ms / 1e3 / 3600
    generating = samples * s.answer / s.decode / 3600
    judging = judged * s.verdict / s.decode / 3600
    return [
        ("answers", f"{samples:,}"),
        ("calls", f"{calls:,}"),
        (
            "tokens sent",
            f"{read / 1e9:,.1f} billion, of which {judged * s.rubric / 1e9:,.1f} are the rubric, over and over",
        ),
        ("tokens that come back", f"{written / 1e9:,.1f} billion"),
        ("harness", f"{harness:,.0f} processor hours; {harness / s.processes:,.1f} h on {s.processes} processes"),
        ("answers, decoded", f"{generating:,.0f} GPU hours; {generating / s.gpus:,.0f} h on {s.gpus} GPUs"),
        ("verdicts, decoded", f"{judging:,.0f} GPU hours; {judging / s.gpus:,.0f} h on {s.gpus} GPUs"),
        ("logs", f"{samples * s.log_bytes / 1e9:,.0f} GB"),
        ("ratings", f"{ratings:,} rows, {ratings * s.rating_bytes / 1e9:,.2f} GB"),
        ("cube of all runs, in memory", f"{cube / 1e6:,.0f} MB"),
        ("ingest", f"{samples * s.ingest_ms / 1e3 / 60:,.0f} min on one processor"),
        ("money, hosted", f"{(read * s.money_in + written * s.money_out) / 1e6:,.0f} USD"),
    ]


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in vars(Study()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    for what, told in table(Study(**vars(parser.parse_args()))):
        print(f"{what:28} {told}")


if __name__ == "__main__":
    main()
