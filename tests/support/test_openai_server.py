"""Each reply kind as a raw client sees it, and one real Inspect run against the server."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import openai
import pytest

from tests.support.openai_server import (
    Handler,
    Reply,
    Request,
    ScriptedServer,
    content_filter,
    cut_connection,
    empty,
    flaky,
    hang,
    invalid_utf8,
    malformed_json,
    sequence,
    slow,
    status,
    text,
    truncated,
    verdict_json,
)

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "schema": {
            "type": "object",
            "$defs": {
                "Item": {"type": "object", "properties": {"why": {"type": "string"}, "met": {"type": "boolean"}}}
            },
            "properties": {
                "why": {"type": "string"},
                "grade": {"enum": ["pass", "fail"]},
                "score": {"type": "integer", "minimum": 1, "maximum": 5},
                "quote": {"anyOf": [{"type": "null"}, {"type": "string"}]},
                "quotes": {"type": "array", "items": {"type": "string"}},
                "polite": {"$ref": "#/$defs/Item"},
                "correct": {"$ref": "#/$defs/Item"},
            },
        },
    },
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def post(
    server: ScriptedServer,
    handler: Handler | None = None,
    *,
    path: str = "chat/completions",
    timeout: float = 5,
    headers: dict[str, str] | None = None,
    **body: Any,
) -> httpx.Response:
    """One request to model m, scripted first if a handler is given."""
    if handler is not None:
        server.script("m", handler)
    said = {"prompt": "say hi"} if path == "completions" else {"messages": [{"role": "user", "content": "say hi"}]}
    return httpx.post(
        f"{server.url}/{path}", json={"model": "m", **said, **body}, timeout=timeout, headers=headers, trust_env=False
    )


def events(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.headers["content-type"].startswith("text/event-stream")
    *lines, last = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert last == "[DONE]"
    return [json.loads(line) for line in lines]


def test_a_completion_has_the_wire_fields_and_word_counts(server: ScriptedServer) -> None:
    response = post(server, text("hello to you", reasoning_content="be nice"))
    body = response.json()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert (body["object"], body["model"]) == ("chat.completion", "m")
    assert body["id"].startswith("chatcmpl-") and abs(body["created"] - time.time()) < 60
    (choice,) = body["choices"]
    assert choice["message"] == {"role": "assistant", "content": "hello to you", "reasoning_content": "be nice"}
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    usage = body["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (2, 5, 7)
    assert len(post(server, n=3).json()["choices"]) == 3


def test_usage_is_given_as_told_or_left_out(server: ScriptedServer) -> None:
    assert "usage" not in post(server, text("x", usage=False)).json()
    assert post(server, text("x", usage={"prompt_tokens": 9})).json()["usage"] == {"prompt_tokens": 9}


def test_plain_completions_and_models(server: ScriptedServer) -> None:
    body = post(server, text("hello"), path="completions").json()
    assert (body["object"], body["choices"][0]["text"]) == ("text_completion", "hello")
    streamed = events(post(server, path="completions", stream=True))
    assert "".join(e["choices"][0]["text"] for e in streamed) == "hello"
    assert [r.last_user for r in server.calls("m")] == ["say hi"] * 2
    assert [m["id"] for m in httpx.get(f"{server.url}/models").json()["data"]] == ["m"]


@pytest.mark.parametrize("content", ["hello, one and all; " * 40, "", 'né\n\n"quoted"'])
def test_streaming_adds_up_to_the_reply(server: ScriptedServer, content: str) -> None:
    chunks = events(post(server, text(content, reasoning_content="hm, well"), stream=True))
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"} and len({c["id"] for c in chunks}) == 1
    deltas = [c["choices"][0]["delta"] for c in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(d.get("content") or "" for d in deltas) == content
    assert "".join(d.get("reasoning_content") or "" for d in deltas) == "hm, well"
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert all("usage" not in c for c in chunks)
    last = events(post(server, stream=True, stream_options={"include_usage": True}))[-1]
    assert last["choices"] == [] and last["usage"]["prompt_tokens"] == 2


def test_the_openai_client_reads_both_forms(server: ScriptedServer) -> None:
    server.script("m", text("hello there"))
    with openai.OpenAI(base_url=server.url, api_key="test-key", max_retries=0) as client:
        messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
        whole = client.chat.completions.create(model="m", messages=messages)
        assert whole.choices[0].message.content == "hello there" and whole.usage and whole._request_id == "req-m-1"
        stream = client.chat.completions.create(model="m", messages=messages, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "hello there"
        assert client.completions.create(model="m", prompt="hi").choices[0].text == "hello there"
        assert [m.id for m in client.models.list()] == ["m"]
    assert server.calls("m")[0].last_user == "hi"


def test_errors_carry_their_code_body_and_headers(server: ScriptedServer) -> None:
    server.script("m", sequence([status(429, "slow down", {"Retry-After": "7"}), status(503, "away")]))
    with openai.OpenAI(base_url=server.url, api_key="test-key", max_retries=0) as client:
        with pytest.raises(openai.RateLimitError, match="slow down") as limited:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert limited.value.response.headers["retry-after"] == "7" and limited.value.type == "rate_limit_error"
        with pytest.raises(openai.InternalServerError, match="away"):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            client.chat.completions.create(model="other", messages=[{"role": "user", "content": "hi"}])
    assert [r.status for r in server.calls()] == [429, 503, 404]
    assert post(server, status(500, "no"), stream=True).json()["error"]["type"] == "server_error"


@pytest.mark.parametrize(
    ("reply", "content", "finish"),
    [
        (empty(), "", "stop"),
        (text(None), None, "stop"),
        (content_filter(), "", "content_filter"),
        (truncated("half a"), "half a", "length"),
    ],
)
def test_completions_that_say_less(server: ScriptedServer, reply: Reply, content: str | None, finish: str) -> None:
    (choice,) = post(server, reply).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (content, finish)
    assert events(post(server, stream=True))[-1]["choices"][0]["finish_reason"] == finish


def test_no_choices_and_no_body(server: ScriptedServer) -> None:
    assert post(server, empty(damage="no choices")).json()["choices"] == []
    for stream in (False, True):
        response = post(server, empty(damage="no body"), stream=stream)
        assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("stream", [False, True])
def test_damaged_bodies(server: ScriptedServer, stream: bool) -> None:
    half = post(server, malformed_json(), stream=stream)
    assert half.status_code == 200 and half.content
    last = half.text.strip().split("\n\n")[-1].removeprefix("data: ")
    with pytest.raises(json.JSONDecodeError):
        json.loads(last)
    bad = post(server, invalid_utf8(), stream=stream).content
    assert b"\xff\xfe" in bad
    with pytest.raises(UnicodeDecodeError):
        bad.decode()


@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_connection_breaks_off_mid_body(server: ScriptedServer, stream: bool) -> None:
    server.script("m", cut_connection())

    async def read() -> bytes:
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
        got = b""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{server.url}/chat/completions", json=body) as response,
        ):
            assert response.status == 200
            with pytest.raises(aiohttp.ClientError):
                async for data in response.content.iter_any():
                    got += data
        return got

    got = asyncio.run(read())
    assert got.startswith(b'data: {"id"' if stream else b'{"id"') and b"[DONE]" not in got
    (call,) = server.calls("m")
    assert call.finished and not call.disconnected


def test_a_hang_sends_nothing_and_then_resets(server: ScriptedServer) -> None:
    began = time.monotonic()
    with pytest.raises(httpx.TransportError):
        post(server, hang(0.2))
    assert time.monotonic() - began >= 0.2
    assert server.calls("m")[0].status is None


def test_a_client_that_gives_up_is_noticed(server: ScriptedServer) -> None:
    with pytest.raises(httpx.ReadTimeout):
        post(server, hang(30), timeout=0.1)
    until(lambda: server.calls("m")[0].finished is not None)
    assert server.calls("m")[0].disconnected


def test_closing_does_not_wait_for_a_hang() -> None:
    with ScriptedServer() as server:
        server.script("m", hang(60))
        failed: list[Exception] = []

        def call() -> None:
            try:
                post(server)
            except httpx.TransportError as error:
                failed.append(error)

        client = threading.Thread(target=call)
        client.start()
        until(lambda: server.count("m") == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 30, "half of what the hang takes"
    client.join(30)
    assert len(failed) == 1
    with pytest.raises(httpx.ConnectError):
        post(server)


def test_slow_sequence_and_flaky_nest(server: ScriptedServer) -> None:
    server.script("m", sequence([slow(0.15, text("one")), lambda r: text(f"call {r.number}"), text("last")]))
    began = time.monotonic()
    said = [post(server).json()["choices"][0]["message"]["content"] for _ in range(4)]
    assert said == ["one", "call 2", "last", "last"] and time.monotonic() - began >= 0.15
    first = server.calls("m")[0]
    assert first.finished is not None and first.finished - first.started >= 0.15

    def codes() -> list[int]:
        handler = flaky(0.5, 7, status(500, "no"), text("yes"))
        server.script("m", handler)
        return [post(server).status_code for _ in range(20)]

    again = codes()
    assert set(again) == {200, 500} and codes() == again


def test_a_sequence_can_be_kept_for_each_prompt(server: ScriptedServer) -> None:
    server.script("m", sequence([text("1"), text("2")], key=lambda r: r.last_user))

    def ask(prompt: str) -> str:
        body = post(server, messages=[{"role": "user", "content": prompt}]).json()
        return str(body["choices"][0]["message"]["content"])

    assert [ask(p) for p in "aabab"] == ["1", "2", "1", "2", "2"]


def test_latency_comes_before_every_reply() -> None:
    with ScriptedServer(latency=0.15) as server:
        began = time.monotonic()
        post(server, text("x"))
        assert time.monotonic() - began >= 0.15


def test_response_format_is_recorded_or_rejected(server: ScriptedServer) -> None:
    assert post(server, text("{}"), response_format=SCHEMA).status_code == 200
    assert server.calls("m")[0].response_format == SCHEMA
    server.script("m", text("{}"), reject_response_format=True)
    response = post(server, response_format=SCHEMA)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unsupported_parameter"
    assert post(server).status_code == post(server, response_format={"type": "text"}).status_code == 200
    assert server.calls("m")[1].response_format == SCHEMA and server.count("m") == 4


def test_a_key_can_be_required() -> None:
    with ScriptedServer(require_key=True) as server:
        assert post(server, text("x")).json()["error"]["code"] == "invalid_api_key"
        assert httpx.get(f"{server.url}/models").status_code == 401
        key = {"Authorization": "Bearer test-key"}
        assert post(server, headers=key).status_code == 200
        assert httpx.get(f"{server.url}/models", headers=key).status_code == 200
        assert server.env("my-judge") == {"MY_JUDGE_BASE_URL": server.url, "MY_JUDGE_API_KEY": "test-key"}


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b'{"model": "m"}', b'{"model": "m", "messages": [1]}'])
def test_requests_that_make_no_sense_are_refused(server: ScriptedServer, raw: bytes) -> None:
    server.script("m", text("x"))
    assert httpx.post(f"{server.url}/chat/completions", content=raw).status_code == 400


def test_oversized_requests_are_refused(server: ScriptedServer) -> None:
    assert post(server, text("x"), padding="x" * (17 * 2**20)).status_code == 413


def test_a_handler_that_raises_fails_the_block() -> None:
    def broken(request: Request) -> Reply:
        raise KeyError("oops")

    with pytest.raises(RuntimeError, match="handler raised") as failed, ScriptedServer() as server:
        assert post(server, broken).status_code == 400
    assert isinstance(failed.value.__cause__, KeyError)


def test_verdict_json_fills_the_schema(server: ScriptedServer) -> None:
    values = {"grade": "fail", "met": True, "polite": {"met": False}, "stranger": 1, "quote": None}
    server.script("m", lambda request: text(verdict_json(request, values, why="because")))
    content = post(server, response_format=SCHEMA).json()["choices"][0]["message"]["content"]
    assert json.loads(content) == {
        "why": "because",
        "grade": "fail",
        "score": 1,
        "quote": None,
        "quotes": [],
        "polite": {"why": "because", "met": False},
        "correct": {"why": "because", "met": True},
    }
    assert list(json.loads(content)) == list(SCHEMA["json_schema"]["schema"]["properties"])
    filled = json.loads(verdict_json(SCHEMA["json_schema"]["schema"], {}))
    assert (filled["grade"], filled["quote"]) == ("pass", "...")
    assert json.loads(verdict_json(None, {"grade": "fail"})) == {"grade": "fail"}


def test_a_hundred_clients_at_once_on_kept_connections(server: ScriptedServer) -> None:
    server.script("m", text("hello"))
    server.script("waits", slow(0.3, text("hello")))

    async def drive() -> None:
        limit = aiohttp.TCPConnector(limit=100)
        async with aiohttp.ClientSession(connector=limit) as session:

            async def ask(model: str, times: int) -> None:
                body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
                for _ in range(times):
                    async with session.post(f"{server.url}/chat/completions", json=body) as response:
                        assert (await response.json())["choices"]

            await asyncio.gather(*(ask("waits", 1) for _ in range(100)))
            await asyncio.gather(*(ask("m", 10) for _ in range(100)))

    asyncio.run(drive())
    assert server.high_water("waits") == 100 and server.high_water() >= 100
    assert (server.count("m"), server.count(), len(server.calls("m"))) == (1000, 1100, 1000)
    assert [r.number for r in server.calls("m")] == list(range(1, 1001))
    assert all(r.finished is not None for r in server.calls())


def test_inspect_evaluates_against_it(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import Sample
    from inspect_ai.solver import generate

    for name, value in server.env("LOOP").items():
        monkeypatch.setenv(name, value)
    retry = status(429, "slow down", {"Retry-After": "0"})
    server.script("m1", sequence([retry, text("hello from loop", reasoning_content="a thought")]))
    (log,) = inspect_eval(
        Task(dataset=[Sample(input="hi")], solver=generate()),
        model="openai-api/loop/m1",
        display="log",
        log_dir=str(tmp_path),
    )
    assert log.status == "success" and log.samples
    assert log.samples[0].output.completion == "hello from loop"
    assert log.stats.model_usage["openai-api/loop/m1"].output_tokens == 5
    assert [r.status for r in server.calls("m1")] == [429, 200]
    assert server.calls("m1")[1].last_user == "hi"


def test_the_command_prints_its_url_and_serves() -> None:
    command = [sys.executable, "-m", "tests.support.openai_server", "--port", "0", "--model", "demo"]
    process = subprocess.Popen([*command, "--latency", "0.05"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
        began = time.monotonic()
        reply = httpx.post(f"{url}/chat/completions", json=body).json()
        assert "Thank you" in reply["choices"][0]["message"]["content"] and time.monotonic() - began >= 0.05
    finally:
        process.terminate()
        process.communicate(timeout=10)


def until(condition: Any, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)
