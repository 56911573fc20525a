"""What the tests of SORRY-Bench share: its files in every style, and scripted models behind two providers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inspect_ai.model import Model, get_model

from evals.sorry.taxonomy import BASE, MUTATIONS
from tests.support.openai_server import Handler, ScriptedServer
from tests.support.sorry import QUESTIONS, row, write


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of four questions in every style; one row of `question` has no text."""
    made = tmp_path_factory.mktemp("whole")
    for style in (BASE, *MUTATIONS):
        rows = [row(n, style, t if style == BASE else f"{style}: {t}") for n, t in QUESTIONS.items()]
        if style == "question":
            rows[1]["turns"] = [None]
        write(made, style, rows)
    return {path.name: path.read_bytes() for path in made.iterdir()}


@pytest.fixture
def folder(tmp_path: Path, whole: dict[str, bytes]) -> Path:
    """The test's own copy of these files."""
    made = tmp_path / "sorry"
    made.mkdir()
    for name, content in whole.items():
        (made / name).write_bytes(content)
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as made, pytest.MonkeyPatch.context() as patch:
        for name, said in {**made.env("sorry"), "VLLM_BASE_URL": made.url, "VLLM_API_KEY": made.api_key}.items():
            patch.setenv(name, said)
        yield made


Ask = Callable[..., Model]


@pytest.fixture
def chat(server: ScriptedServer) -> Ask:
    """`chat(name, handler)`: a scripted chat model, never one that Inspect remembers from another test."""

    def one(name: str, handler: Handler) -> Model:
        server.script(name, handler)
        return get_model(f"openai-api/sorry/{name}", memoize=False)

    return one


@pytest.fixture
def raw(server: ScriptedServer) -> Ask:
    """`raw(name, handler)`: a scripted model behind Inspect's own vllm-completions provider."""

    def one(name: str, handler: Handler) -> Model:
        server.script(name, handler)
        return get_model(f"vllm-completions/{name}", memoize=False)

    return one
