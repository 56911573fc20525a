"""What readers and users type: the address of a page, the text of a choice, and the arguments of commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from leaderboard.app import PAGES
from leaderboard.cli import main
from results.choice import Choice, ChoiceError
from results.store import ENV_STORE, Store
from tests.fuzz.common import fuzzed, settle, shown
from tests.fuzz.edits import TEXTS, as_json, edited, edited_text
from tests.support.panel_store import panel_store
from tests.support.people import import_judgments, judgments

_HERE: dict[str, Any] = {}
KEYS: Final = (
    "group", "measure", "run", "baseline", "item", "epoch", "domain", "domains", "judges", "kin", "w_refusal",
    "w_relevance", "w_made_up", "criterion", "correction", "status", "state", "spread", "sort", "contact", "which",
    "with",
    "values", "margin", "severity", "turns", "people", "page", "any", "embed", "",
)  # fmt: skip
SAFE: Final = ("runs", "compare", "agreement", "import", "report", "verify", "ingest")
"""Commands that read files and print, and start neither servers nor runs."""


@pytest.fixture(scope="module", autouse=True)
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    made(tmp_path_factory.mktemp("choices"))
    yield
    _HERE.clear()
    os.environ.pop(ENV_STORE, None)


def made(folder: Path) -> None:
    """A store with judges, domains and weights to choose, and one of imported runs."""
    store, _ = panel_store(folder / "panels", n=6, epochs=1)
    small = Store(folder / "small")
    path = judgments(folder)
    import_judgments(small, path)
    os.environ[ENV_STORE] = str(store.root)
    _HERE.update(store=store, small=small, file=path, names=[m.run_id for m in store.manifests()])


@fuzzed("choice")
def test_choice(chance: Random, edits: int, place: Path) -> None:
    told = {
        "weights": {"refusal": 2.0, "grounding": 0},
        "judges": ["a"],
        "without_family": True,
        "domains": ["violence"],
    }
    text = edited_text(as_json(edited(told, chance, edits), chance), chance, edits // 3)
    shown(text)
    choice = settle(lambda: Choice.from_text(text), ChoiceError)
    if choice is not None:
        assert hash((choice.judges, choice.domains)) and Choice.from_text(choice.to_text()).default == choice.default
        assert settle(choice.to_text) == Choice.from_text(choice.to_text()).to_text()


@fuzzed("page")
def test_page(chance: Random, edits: int, place: Path) -> None:
    module = chance.choice(PAGES)[0]
    at = AppTest.from_string(f"from leaderboard.app import page_of\npage_of({module!r})()", default_timeout=60)
    for _ in range(edits):
        values = [
            edited_text(chance.choice((*TEXTS, *_HERE["names"])), chance, 1) for _ in range(chance.choice((1, 1, 3)))
        ]
        # An address is decoded to whole characters.
        values = [v.encode("utf-8", "replace").decode() for v in values]
        key = chance.choice(KEYS)
        shown(f"{module} {key}={values}")
        at.query_params[key] = values if len(values) > 1 else values[0]
    at.run()
    assert not at.exception, at.exception
    assert at.title


@fuzzed("command")
def test_command(chance: Random, edits: int, place: Path) -> None:
    name = chance.choice(SAFE)
    found = main.get_command(click.Context(main), name)
    assert found is not None
    runs = _HERE["small"].run_ids()
    words = (
        *TEXTS,
        *runs,
        *(r[:12] for r in runs),
        str(_HERE["file"]),
        "psychosafe",
        "csv",
        "quality",
        "refusal",
        "2",
        "-1",
    )
    args = [name, "--store", str(_HERE["small"].root)]
    for _ in range(edits):
        option = chance.choice(found.params)
        word = chance.choice(words).replace("\0", "").encode("utf-8", "replace").decode()[:2_000]
        if word != str(_HERE["file"]) and os.path.exists(word):
            continue  # A folder such as / has more in it than there is time for.
        if isinstance(option, click.Option) and option.name not in ("store_dir", "help", "output", "out", "images"):
            args += [option.opts[0], *([] if option.is_flag else [word])]
        elif isinstance(option, click.Argument):
            args.append(word)
    shown(" ".join(args))
    with CliRunner().isolated_filesystem(place):
        done = settle(lambda: CliRunner().invoke(main, args))
    assert done.exit_code in (0, 1, 2), done.exit_code
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) <= 1 and (done.exit_code != 1 or errors or done.stderr.strip())
