"""The demo, as the README's first command runs it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from leaderboard.cli.common import interval
from results.compare import measures
from results.store import Store


@pytest.mark.long
@pytest.mark.process
@pytest.mark.timeout(1200)  # the whole takes three minutes on two idle cores, and the other worker is never idle
@pytest.mark.parametrize(("limit", "answers"), [("20", 40), pytest.param(None, 750, marks=pytest.mark.slow)])
def test_the_demo_shows_what_its_store_holds(tmp_path: Path, limit: str | None, answers: int) -> None:
    folder = tmp_path / "demo"
    done = CliRunner().invoke(main, ["demo", "--dir", str(folder), *(["--limit", limit] if limit else [])])
    assert done.exit_code == 0, done.output
    assert done.output.count(f" {answers} answers judged in") == 5
    assert "JUDGED BY RULES" in done.output
    store = Store(folder / "store")
    assert len(store.run_ids()) == 10
    assert store.damaged() == {}
    risky = [m for m in store.manifests() if m.task == "psychosafe"]
    assert {m.model.name for m in risky} == {f"policy/{p}" for p in ("steerable", "keyword", "wrapper", "oracle")}
    flat = " ".join(done.output.split())
    for run in risky:
        found = measures(store, run)
        for name in ("pair_score", "quality"):
            assert interval(found[name].estimate()) in flat
    assert "455" in flat, "the published rows"
    assert "one person" in flat
    page = (folder / "compare.html").read_text(encoding="utf-8")
    assert page.count("<table") == 4
    if limit is not None:
        return
    # The ceiling leads, and no cheat is in the upper half; of a few prompts the intervals are too wide for that.
    pair = {m.label: measures(store, m)["pair_score"].estimate().value for m in risky}
    assert max(pair, key=lambda label: pair[label] or 0) == "policy/oracle · baseline"
    assert (pair["policy/wrapper · baseline"] or 0) < 0.5


def test_the_demo_replaces_nothing_but_a_demo(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    done = CliRunner().invoke(main, ["demo", "--dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "choose another folder" in done.output
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "years of work"
    done = CliRunner().invoke(main, ["demo", "--dir", str(tmp_path / "thesis.tex" / "demo")])
    assert done.exit_code == 1 and done.output.count("\n") == 1
    assert "cannot write to" in done.output and "choose another folder with --dir" in done.output
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "years of work"
