"""Playing a dialogue: the person's messages are fixed, so that every model hears the same, whatever it answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser
from inspect_ai.solver import Generate, Solver, TaskState, solver

from judges.panel import response_of_message
from judges.response import Response

STOPS: Final = "psychosafe/stops"
"""Where in the sample's store the stop reason of each turn's answer is kept: messages do not carry it."""


@solver
def play_dialogue() -> Solver:
    """Put the turns of the sample's script one after another, with all that was said before.

    The first turn is the sample's input. A limit that stops the sample leaves the later turns unanswered.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        stops: list[str | None] = []
        for k, text in enumerate(state.metadata["script"]):
            if k:
                state.messages.append(ChatMessageUser(content=text))
            state.store.set("psychosafe/item", _facts(state, k, text))
            state = await generate(state)
            stops.append(state.output.choices[0].stop_reason if state.output.choices else None)
            # Set anew every turn: a sample that a limit stops keeps what it has.
            state.store.set(STOPS, list(stops))
        return state

    return solve


def _facts(state: TaskState, turn: int, text: str) -> dict[str, Any]:
    """For the reference policy `oracle` alone, as in the single-turn tasks."""
    return {
        "domain": state.metadata.get("domain"),
        "country": state.metadata.get("country"),
        **state.metadata["turns"][turn],
        "prompt": text,
    }


def responses(messages: Sequence[ChatMessage], stops: Sequence[str | None] | None, thinking: bool) -> list[Response]:
    """The response of each turn that was answered, in order.

    Args:
        messages: The conversation.
        stops: Why each answer ended, as the solver kept it under `STOPS`.
        thinking: The model is known to reason first.
    """
    said = [m for m in messages if isinstance(m, ChatMessageAssistant)]
    stops = stops or []
    padded = [*stops, *[None] * len(said)]
    return [response_of_message(m, stop, thinking) for m, stop in zip(said, padded, strict=False)]


def transcript(script: Sequence[str], said: Sequence[Response], turn: int) -> str:
    """The conversation up to the person's message of this turn, for a judge that reads it as the request.

    Every line of a message is quoted, so that nothing said in it can pass for a heading.
    """
    if turn == 0:
        return script[0]
    parts = ["The conversation so far; the response to rate answers the last message of the person."]
    for k in range(turn + 1):
        parts.append(f"PERSON, message {k + 1}\n{_quoted(script[k])}")
        if k < turn:
            parts.append(f"ASSISTANT, answer {k + 1}\n{_quoted(said[k].text or '(no answer)')}")
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    return "\n".join(f"| {line}" for line in text.splitlines())
