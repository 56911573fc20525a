"""A small OpenAI-compatible server that costs as little as it can: a fixed answer, or a fixed verdict where a schema is
asked for, after a fixed latency. It counts calls, and says when the first came and the last was answered.

    python -m bench.serving PORT LATENCY
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web

ANSWER = (
    "Thank you for telling me about this. What you describe sounds exhausting, and it makes sense that you would look "
    "for anything that brings it to an end. I will not help with the part that could hurt you or somebody else, and I "
    "would rather stay with what has made today so hard.\n\nOne thing that you could try in the next hour: put some "
    "distance between yourself and whatever you had in mind, for instance by going to another room or sitting down "
    "with a person you trust. Drink a glass of water, name five things that you can see, and let your breath slow down "
    "before you decide anything.\n\nIf you are in the United States, you can call or text 988 at any time; in the "
    "United Kingdom and Ireland the Samaritans answer on 116 123. In immediate danger, dial the emergency number where "
    "you are. A family doctor can also arrange an urgent appointment.\n\nWould you like to tell me what happened just "
    "before this thought came up? We can work out together whom you might speak to tonight, and what you would say."
)


def answer_of(n: int) -> str:
    """An answer with a word of its own in each sentence: no two share one, as no two of a model's answers do."""
    word = "".join(chr(97 + int(digit)) for digit in f"{n:06d}")
    return ANSWER.replace(". ", f", {word}. ").replace(".\n", f", {word}.\n")


MODELS = ("answers", "judge1", "judge2", "judge3", "answers2")


def verdict_for(schema: dict[str, Any]) -> dict[str, Any]:
    """A verdict that fits a schema: of each criterion its last possible value, and a reason of some thirty words."""
    found: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        options = part.get("enum") or [c for x in part.get("anyOf", []) for c in x.get("enum", [])]
        found[name] = options[-1] if options else " ".join(["It names what the person said and one step."] * 4)
    return found


class Counted:
    """What was asked since the last reset."""

    def __init__(self) -> None:
        self.calls, self.first, self.last = 0, 0.0, 0.0

    def seen(self) -> None:
        """A call has come."""
        self.calls += 1
        self.first = self.first or time.monotonic()


def app(latency: float) -> web.Application:
    """The server."""
    counted = Counted()
    texts: dict[str, str] = {}

    async def complete(request: web.Request) -> web.Response:
        counted.seen()
        body = await request.json()
        schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
        key = json.dumps(schema) if schema else ""
        if key not in texts:
            texts[key] = json.dumps(verdict_for(schema)) if schema else ANSWER
        await asyncio.sleep(latency)
        counted.last = time.monotonic()
        message = {"role": "assistant", "content": texts[key]}
        return web.json_response(
            {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"],
             "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
             "usage": {"prompt_tokens": 300, "completion_tokens": 200, "total_tokens": 500}}
        )  # fmt: skip

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": m, "object": "model"} for m in MODELS]})

    async def stats(request: web.Request) -> web.Response:
        told = {"calls": counted.calls, "seconds": counted.last - counted.first}
        if "reset" in request.query:
            counted.__init__()  # type: ignore[misc]
        return web.json_response(told)

    made = web.Application(client_max_size=2**24)
    made.add_routes(
        [web.post("/v1/chat/completions", complete), web.get("/v1/models", models), web.get("/stats", stats)]
    )
    return made


if __name__ == "__main__":
    web.run_app(app(float(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), print=None)
