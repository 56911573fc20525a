"""A scripted OpenAI-compatible server on loopback: a stand-in for real providers in end-to-end tests and benches.

    with ScriptedServer() as server:
        server.script("judge-a", sequence([status(429, "slow down", {"Retry-After": "0"}), text("fine")]))
        server.script("judge-b", lambda request: text(verdict_json(request, {"grade": "pass"})))
        ...  # with os.environ | server.env("JUDGE"), Inspect's model is "openai-api/judge/judge-a"
        assert server.count("judge-a") == 2

Handlers run on the server's event loop: they must return at once (`slow` and `hang` wait). A handler that raises gives
HTTP 400, and the `with` block raises its error at the end, so that a broken script cannot pass for a bad provider.
"""

import argparse
import asyncio
import json
import random
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Any, Literal, Self

from aiohttp import web

MAX_WAIT = 60.0  # seconds: no scripted wait is longer
_BAD = "\ue000"  # becomes bytes that are not UTF-8


@dataclass(frozen=True)
class Reply:
    """What the server answers, made by the helpers below. It is also a handler: the one that always gives it."""

    content: str | None = ""
    reasoning_content: str | None = None
    finish_reason: str = "stop"
    usage: Mapping[str, Any] | Literal[False] | None = None  # None: word counts; False: left out
    damage: Literal["no choices", "no body", "json", "utf8", "cut", "hang"] | None = None
    status: int = 200
    error: str | None = None  # the message of an OpenAI-style error body, sent in place of a completion
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    byte_logprob: float | None = None  # of every byte of the prompt, where a completion is asked to echo it

    def __call__(self, request: "Request") -> "Reply":
        return self


@dataclass
class Request:
    """One request as the server saw it. The fields with defaults are filled in as it is served."""

    model: str
    messages: list[dict[str, Any]]
    body: dict[str, Any]
    headers: dict[str, str]  # names in lower case
    number: int  # 1 for the model's first call
    path: str
    started: float  # time.monotonic()
    in_flight: int  # this model's calls under way when it began, itself included
    finished: float | None = None
    status: int | None = None  # the HTTP status sent, if one was
    reply: Reply | None = None
    disconnected: bool = False  # the client left, or the server closed, before the reply

    @property
    def last_user(self) -> str:  # its text
        content = next((m.get("content") for m in reversed(self.messages) if m.get("role") == "user"), None)
        parts = content if isinstance(content, list) else [{"text": content or ""}]
        return "\n".join(part["text"] for part in parts if "text" in part)

    @property
    def response_format(self) -> dict[str, Any] | None:
        return self.body.get("response_format")


Handler = Callable[[Request], Reply]
text = Reply  # text(content, reasoning_content=None, finish_reason="stop", usage=None)
truncated = partial(Reply, finish_reason="length")  # truncated(content)
content_filter = partial(Reply, finish_reason="content_filter")
malformed_json = partial(Reply, "this reply is JSON that stops half way", damage="json")
invalid_utf8 = partial(Reply, f"not {_BAD} UTF-8", damage="utf8")
cut_connection = partial(Reply, "the connection is reset before this reply ends", damage="cut")  # 200, half, TCP reset
empty = partial(Reply, "")  # HTTP 200 with content "" (text(None): null); empty(damage="no choices" or "no body"): less


def scored(rate: Callable[[str], float]) -> Handler:
    """Log-probabilities of a prompt, as `echo` asks for them: `rate(prompt)` for each of its bytes."""
    return lambda request: Reply("", byte_logprob=rate(request.last_user))


def status(code: int, message: str, headers: Mapping[str, str] | None = None, error_code: str | None = None) -> Reply:
    return Reply(status=code, error=message, headers=headers or {}, error_code=error_code)


def slow(seconds: float, handler: Handler) -> Handler:
    return lambda request: replace(reply := handler(request), delay=reply.delay + seconds)


hang = partial(slow, handler=Reply(damage="hang"))  # hang(seconds): nothing for that long, then a TCP reset


def flaky(probability: float, seed: int, bad: Handler, good: Handler) -> Handler:
    rng = random.Random(seed)
    return lambda request: bad(request) if rng.random() < probability else good(request)


def sequence(steps: Sequence[Handler], key: Callable[[Request], Hashable] = lambda request: None) -> Handler:
    """Plays the steps in order, then repeats the last; with `key`, once for each key (say, the request's last_user)."""
    played: Counter[Hashable] = Counter()

    def handler(request: Request) -> Reply:
        played[key(request)] += 1
        return steps[min(played[key(request)], len(steps)) - 1](request)

    return handler


def verdict_json(source: Request | Mapping[str, Any] | None, values: Mapping[str, Any], why: str = "...") -> str:
    """JSON to fit a request, response_format or schema: `values` by property name at any depth, other strings `why`."""
    root: Any = source.response_format if isinstance(source, Request) else source
    root = root["json_schema"]["schema"] if root and "json_schema" in root else root

    def fill(schema: Mapping[str, Any], given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        if "$ref" in schema:  # "#/$defs/Name"
            return fill(reduce(lambda found, part: found[part], schema["$ref"].split("/")[1:], root), given)
        if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            return fill(next((option for option in options if option.get("type") != "null"), options[0]), given)
        if fixed := [schema["const"]] if "const" in schema else schema.get("enum"):
            return fixed[0]
        if "properties" in schema:
            return {name: fill(part, given.get(name, given)) for name, part in schema["properties"].items()}
        if schema.get("type") == "array":
            return [fill(schema.get("items", {}), given) for _ in range(schema.get("minItems", 0))]
        if schema.get("type") in ("integer", "number"):
            return schema.get("minimum", 0)
        return {"boolean": False, "null": None, "object": {}}.get(schema.get("type", "string"), why)

    shaped = root and ("properties" in root or "$ref" in root)  # if not, the values are given alone
    return json.dumps(fill(root, values) if shaped else dict(values), ensure_ascii=False)


class ScriptedServer:
    """The server, in a thread of its own while its `with` block lasts. Its methods may be called from any thread."""

    def __init__(self, port: int = 0, latency: float = 0, require_key: bool = False, keep: int = 50_000) -> None:
        """`latency` seconds come before every reply. The newest `keep` requests stay recorded."""
        self.port, self.latency, self.require_key, self.api_key = port, latency, require_key, "test-key"
        self.handler_errors: list[Exception] = []
        self._scripts: dict[str, tuple[Handler, bool]] = {}
        self._lock = threading.Lock()
        self._requests: deque[Request] = deque(maxlen=keep)
        # Calls so far, under way now, and the most at once: by model, and under None for all models together.
        self._counts, self._now, self._high = (Counter[str | None]() for _ in range(3))

    def env(self, service: str) -> dict[str, str]:
        """The variables Inspect reads for `openai-api/<service>/<model>`."""
        prefix = service.upper().replace("-", "_")
        return {f"{prefix}_BASE_URL": self.url, f"{prefix}_API_KEY": self.api_key}

    def script(self, model: str, handler: Handler, reject_response_format: bool = False) -> None:
        """Set what a model answers. May be called again at any time; a model with no script gives HTTP 404."""
        self._scripts[model] = (handler, reject_response_format)

    def calls(self, model: str | None = None) -> list[Request]:
        """The recorded requests, oldest first, refused ones too."""
        with self._lock:
            return [r for r in self._requests if model in (None, r.model)]

    def count(self, model: str | None = None) -> int:
        return self._counts[model]

    def high_water(self, model: str | None = None) -> int:
        """The most calls ever under way at once, for one model or for all together."""
        return self._high[model]

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listener, ready)), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the scripted server did not start")
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        if error is None and (self._thread.is_alive() or self.handler_errors):
            cause = next(iter(self.handler_errors), None)
            raise RuntimeError("a scripted handler raised" if cause else "the server did not stop") from cause

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=16 * 2**20)  # beyond: HTTP 413
        app.add_routes([web.get("/v1/models", self._models), web.post("/v1/{_:(chat/)?completions}", self._completion)])
        # As vLLM has them, so that a client can count tokens without the model's files; here a byte is a token.
        app.add_routes([web.get("/tokenizer_info", _tokenizer), web.post("/{_:(de)?tokenize}", _tokens)])
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listener, backlog=512).start()
        ready.set()
        await self._stop.wait()
        await runner.cleanup()

    def _refused(self, headers: Mapping[str, str]) -> Reply | None:
        allowed = not self.require_key or headers.get("authorization") == f"Bearer {self.api_key}"
        return None if allowed else status(401, "Incorrect API key provided.", error_code="invalid_api_key")

    async def _models(self, http: web.Request) -> web.StreamResponse:
        if refused := self._refused(http.headers):
            return web.Response(body=_error(refused), status=refused.status, content_type="application/json")
        models = [{"id": m, "object": "model", "created": 0, "owned_by": "scripted"} for m in list(self._scripts)]
        return web.json_response({"object": "list", "data": models})

    async def _completion(self, http: web.Request) -> web.StreamResponse:
        body: Any = None
        with suppress(ValueError):
            body = await http.json()
        body = body if isinstance(body, dict) else {}
        model, messages = str(body.get("model") or ""), body.get("messages")
        if not http.path.endswith("/chat/completions"):
            prompt = _prompt(body.get("prompt"))
            messages = [] if prompt is None else [{"role": "user", "content": prompt}]
        messages = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
        headers = {name.lower(): value for name, value in http.headers.items()}
        with self._lock:
            self._counts.update((model, None))
            self._now.update((model, None))
            self._high |= self._now  # the larger of the two, for each model
            number, now = self._counts[model], self._now[model]
            request = Request(model, messages, body, headers, number, http.path, time.monotonic(), now)
            self._requests.append(request)
        try:
            request.reply = reply = self._decide(request)
            await asyncio.sleep(min(reply.delay + self.latency, MAX_WAIT))
            return await self._send(http, request, reply)
        except asyncio.CancelledError:
            request.disconnected = request.finished is None
            raise
        finally:
            self._finish(request)

    def _finish(self, request: Request) -> None:
        if request.finished is None:
            request.finished = time.monotonic()
            self._now.subtract((request.model, None))

    def _decide(self, request: Request) -> Reply:
        if refused := self._refused(request.headers):
            return refused
        if not request.model or not request.messages:
            return status(400, "The body must be JSON with a model and messages (or a prompt).")
        if request.model not in self._scripts:
            return status(404, f"The model '{request.model}' does not exist.", error_code="model_not_found")
        handler, reject = self._scripts[request.model]
        if reject and (request.response_format or {}).get("type", "text") != "text":
            return status(400, "'response_format' is not supported by this model.", error_code="unsupported_parameter")
        try:
            return handler(request)
        except Exception as error:
            self.handler_errors.append(error)
            return status(400, f"a scripted handler raised {error!r}", error_code="handler_error")

    async def _send(self, http: web.Request, request: Request, reply: Reply) -> web.StreamResponse:
        stream = bool(request.body.get("stream")) and reply.error is None and reply.damage != "no body"
        headers = {"Content-Type": "text/event-stream" if stream else "application/json"}
        headers |= {"x-request-id": f"req-{request.model}-{request.number}", **reply.headers}
        parts = _parts(request, reply, stream)
        if reply.damage != "hang":
            request.status = reply.status
            response = web.StreamResponse(status=reply.status, headers=headers)
            response.content_length = None if stream else len(parts[0])
            await response.prepare(http)
        if reply.damage == "cut":
            await response.write(b"".join(parts[: len(parts) // 2]) or parts[0][: len(parts[0]) // 2])
            await asyncio.sleep(0.02)  # lets the client read the first half before the reset discards it
        if reply.damage in ("cut", "hang"):
            if transport := http.transport:
                linger = struct.pack("ii", 1, 0)  # no lingering: closing sends a reset
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                transport.abort()
            raise ConnectionResetError("scripted reset")
        for part in parts[:-1]:
            await response.write(part)
        self._finish(request)  # before the last bytes: a client that has them finds the record complete
        await response.write_eof(parts[-1])
        return response


def _prompt(given: Any) -> str | None:
    """A completion's prompt as text: text, tokens, or a list of one of either."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str | list):
        given = given[0]
    if isinstance(given, list) and all(isinstance(t, int) and 0 <= t < 256 for t in given):
        return bytes(given).decode("utf-8", "replace")
    return given if isinstance(given, str) else None


async def _tokenizer(http: web.Request) -> web.StreamResponse:
    return web.json_response({"tokenizer_class": "bytes", "eos_token": "\0", "bos_token": None})


async def _tokens(http: web.Request) -> web.StreamResponse:
    body = await http.json()
    if http.path == "/tokenize":
        return web.json_response({"tokens": list(str(body["prompt"]).encode())})
    return web.json_response({"prompt": bytes(body["tokens"]).decode("utf-8", "replace")})


def _logprobs(request: Request, reply: Reply) -> dict[str, Any] | None:
    """Of an echoed prompt: each byte's, none for the first, and one of a token that is generated."""
    if reply.byte_logprob is None or not request.body.get("echo"):
        return None
    each = [None, *[reply.byte_logprob] * len(request.last_user.encode())]
    top = [None if p is None else {"a": p} for p in each]
    return {"tokens": ["?"] * len(each), "token_logprobs": each, "top_logprobs": top, "text_offset": []}


def _error(reply: Reply) -> bytes:
    usual = "server_error" if reply.status >= 500 else "invalid_request_error"
    kind = "rate_limit_error" if reply.status == 429 else usual
    error = {"message": reply.error, "type": kind, "param": None, "code": reply.error_code}
    return json.dumps({"error": error}).encode()


def _parts(request: Request, reply: Reply, stream: bool) -> list[bytes]:
    """The reply's body, or its server-sent events; those give usage only where stream_options ask for it."""
    if reply.error is not None or reply.damage == "no body":
        return [b"" if reply.error is None else _error(reply)]
    chat = request.path.endswith("/chat/completions")
    kind = f"chat.completion{'.chunk' if stream else ''}" if chat else "text_completion"
    made: dict[str, Any] = {"id": f"{'chatcmpl' if chat else 'cmpl'}-{request.model}-{request.number}", "object": kind}
    made |= {"created": int(time.time()), "model": request.model}
    thought, words = len((reply.reasoning_content or "").split()), len((reply.content or "").split())
    prompt = sum(len(str(m.get("content") or "").split()) for m in request.messages)
    usage: Any = {"prompt_tokens": prompt, "completion_tokens": words + thought}
    usage |= {"total_tokens": prompt + words + thought, "completion_tokens_details": {"reasoning_tokens": thought}}
    usage = {} if reply.usage is False else {"usage": reply.usage or usage}

    def choices(said: dict[str, Any], finish: str | None, count: int = 1) -> dict[str, Any]:
        shown = {"delta" if stream else "message": said} if chat else {"text": said.get("content") or ""}
        count = 0 if reply.damage == "no choices" else min(count, 128)
        likely = _logprobs(request, reply)
        return {"choices": [{"index": i, **shown, "logprobs": likely, "finish_reason": finish} for i in range(count)]}

    said = {"content": reply.content, "reasoning_content": reply.reasoning_content}
    if stream:
        events = [choices({"role": "assistant", "content": reply.content and ""}, None)]
        for name in ("reasoning_content", "content") if chat else ("content",):
            whole, size = said[name] or "", 1 + len(said[name] or "") // 20
            events += [choices({name: whole[i : i + size]}, None) for i in range(0, len(whole), size)]
        events.append(choices({}, reply.finish_reason))
        if usage and (request.body.get("stream_options") or {}).get("include_usage"):
            events.append({"choices": []} | usage)
        lines = [f"data: {json.dumps(made | event, ensure_ascii=False)}\n\n" for event in events] + ["data: [DONE]\n\n"]
    else:
        message = {"role": "assistant"} | {k: v for k, v in said.items() if k == "content" or v is not None}
        made |= choices(message, reply.finish_reason, int(request.body.get("n") or 1)) | usage
        lines = [json.dumps(made, ensure_ascii=False)]
    if reply.damage == "json":
        lines = [*lines[: len(lines) // 2], 'data: {"id": "chatcmpl\n\n'] if stream else [lines[0][:-20]]
    return [line.encode().replace(_BAD.encode(), b"\xff\xfe") for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve one fixed polite reply, OpenAI-style, on loopback.")
    for name, default in (("--port", 0), ("--model", "demo"), ("--latency", 0.0)):  # seconds before each reply
        parser.add_argument(name, type=type(default), default=default)
    args = parser.parse_args()
    with ScriptedServer(port=args.port, latency=args.latency, keep=1000) as server:
        server.script(args.model, text("Thank you for asking. I am glad to help."))
        print(server.url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
