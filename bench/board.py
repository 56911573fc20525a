"""The leaderboard at 6 million ratings, in a real Chromium: first page, a change of measure, and the server's memory.

1,000 generated runs x 500 items x 3 judges x 4 criteria (bench/material.py). The first page is timed from the browser's
request to a running server until table and chart stand; each visitor comes with an empty cache. Another measure is
timed from the key press until the chart shows it, another domain until all is worked out and drawn anew.
The same is timed of a bare page of Streamlit beside it (bench/bare_app.py): what the browser and Streamlit take alone.

    python -m bench.board [--runs 1000] [--changes 20]
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.material import generated
from bench.table import Row
from leaderboard.memory import ONE_ARENA
from rubrics.expectations import DOMAINS
from tests.support.browser import end, free_port, open_chromium, serve

MEASURES = ("Refusal", "Grounding", "References", "Relevance", "Published mean of four")


def settled(page: Any, label: str = "") -> float:
    """Seconds from now until a table and a chart of this measure stand."""
    began = time.perf_counter()
    page.wait_for_selector('[data-testid="stDataFrame"]', timeout=120_000)
    page.wait_for_function(
        "label => [...document.querySelectorAll('.js-plotly-plot .xtitle')].some(t => t.textContent.startsWith(label))",
        arg=label, timeout=120_000,
    )  # fmt: skip
    return time.perf_counter() - began


def memory(pid: int) -> float:
    """MiB that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return float(status.split("VmRSS:")[1].split()[0]) / 1024


@dataclass(frozen=True)
class Visit:
    """What visitors of one app waited for: seconds until the page stood, and of each change; MiB of the server."""

    first: list[float]
    measure: list[float]
    domain: list[float]
    memory: float


def late(took: list[float]) -> float:
    """The 95th percentile."""
    return sorted(took)[int(0.95 * len(took))]


def told(what: str, took: list[float]) -> str:
    """How long something took, in words."""
    return f"{what}: median {statistics.median(took):.2f} s, 95th percentile {late(took):.2f} s, n {len(took)}"


def narrowed(page: Any, n: int) -> float:
    """Seconds until the page stands with one domain more: every score, interval and rank is worked out anew."""
    box = page.get_by_role("combobox", name="Domains")
    if not box.is_visible():
        quiet(page)
        page.get_by_text("Choose domains, judges and weights").click()
        box.wait_for()
    name = DOMAINS[n % (len(DOMAINS) - 1)]
    if n and n % (len(DOMAINS) - 1) == 0:
        page.keyboard.press("Escape")  # the list of domains, which covers the button
        page.get_by_role("button", name="Back to the default").click()
        page.get_by_text("Your choice, not the default").wait_for(state="detached", timeout=60_000)
    quiet(page)
    box.click()
    box.fill(name)
    # Enter takes what is offered; before anything is, it takes nothing.
    page.get_by_role("option").first.wait_for()
    began = time.perf_counter()
    box.press("Enter")
    page.get_by_text(re.compile(f"Here: domains.*{name.replace('_', ' ')}")).first.wait_for(timeout=60_000)
    quiet(page)
    return time.perf_counter() - began


def quiet(page: Any) -> None:
    """Wait until the server works on nothing for this page."""
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'", timeout=60_000
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--store", type=Path, help="A generated store that is there already.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.store or Path(folder) / "store"
        if not place.is_dir():
            generated(place, given.runs)
        rows(place, given.changes)


def rows(store: Path, changes: int = 20) -> list[Row]:
    """Serve the bare page and the store, and time readers of each."""
    from bench.store import measured

    measured("overview", str(store))  # the derived files, as an ingest or an earlier visit leaves them
    bare = visit(Path(__file__).with_name("bare_app.py"), {}, changes, MEASURES[:-1])
    ours = visit(None, {"PSYCHOSAFE_STORE": str(store)}, changes, MEASURES)
    for name, found in (("a bare page of Streamlit", bare), ("the leaderboard", ours)):
        print(f"{name}: visitors {', '.join(f'{s:.2f}' for s in found.first)} s; server {found.memory:.0f} MiB")
        for what, took in (("another measure", found.measure), ("another domain", found.domain)):
            if took:
                print(f"  {told(what, took)}")
    first, floor = statistics.median(ours.first), statistics.median(bare.first)
    change, least = statistics.median(ours.measure), statistics.median(bare.measure)
    page = "a bare Streamlit page with one table and one chart"
    return [
        Row(
            "The board at 6 million ratings: first page in Chromium, nothing in its cache",
            f"{first:.1f} s, server {ours.memory:.0f} MiB",
            f"{page}, {floor:.1f} s, {bare.memory:.0f} MiB",
            f"{first / floor:.2f} times as long",
            "the bare page",
        ),
        Row(
            "Another measure in its charts; one domain more, all worked out anew",
            f"{change:.2f} s (95th percentile {late(ours.measure):.2f}); "
            f"{statistics.median(ours.domain):.2f} s ({late(ours.domain):.2f})",
            f"another choice on the bare page, {least:.2f} s ({late(bare.measure):.2f})",
            f"{change / least:.1f} times as long",
            "the bare page",
        ),
    ]


def visit(app: Path | None, env: dict[str, str], changes: int, measures: Sequence[str]) -> Visit:
    """Time visitors of one app, or of the leaderboard's own server."""
    port = free_port()
    server = serve(app, {**ONE_ARENA, **os.environ, **env}, port)
    try:
        with open_chromium() as chromium:
            first = []
            for _ in range(3):
                page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
                began = time.perf_counter()
                page.goto(f"http://127.0.0.1:{port}/", timeout=120_000)
                settled(page)
                first.append(time.perf_counter() - began)
            took = []
            for n in range(changes):
                label = measures[(n + 1) % len(measures)]
                box = page.get_by_role("combobox", name="Score shown in the charts")
                box.click()
                box.fill(label)
                began = time.perf_counter()
                box.press("Enter")
                settled(page, label)
                took.append(time.perf_counter() - began)
            domain = [] if app else [narrowed(page, k) for k in range(changes)]
        return Visit(first, took, domain, memory(server.pid))
    finally:
        end(server)


if __name__ == "__main__":
    main()
