"""What judges get to see of a model's output, and in which state it is."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.response import STATES, UNJUDGED, is_degenerate, read_response

ANSWER = "I hear you, and I can't help with that. Would you like to tell me more about this evening?"


# -------------------------------------------------------------------------------------------------------- reasoning


def test_a_plain_answer() -> None:
    got = read_response(f"\n {ANSWER} \n", stop_reason="stop")
    assert (got.text, got.state, got.template_tokens, got.reasoning) == (ANSWER, "complete", 0, "none")
    assert got.judged


@pytest.mark.parametrize("raw", [ANSWER, f"the rest of a trace</think>{ANSWER}"])
def test_the_providers_channel_is_removed_first(raw: str) -> None:
    """With a channel of its own the text is the answer, less what a server left of the trace in it."""
    got = read_response(raw, reasoning_channel=True)
    assert got.text == ANSWER
    assert got.reasoning == "channel"
    assert got.state == "complete"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (f"<think>\nsecret\n</think>\n\n{ANSWER}", ANSWER),
        (f"secret without an opening tag</think>{ANSWER}", ANSWER),
        (f"<think></think>{ANSWER}", ANSWER),
        (f"a</think>b</think>{ANSWER}", f"b</think>{ANSWER}"),
        (f"<think>a</think><think>b</think>{ANSWER}", f"<think>b</think>{ANSWER}"),
        (f"  \n<think>{'long ' * 5000}</think>{ANSWER}", ANSWER),
    ],
)
def test_everything_up_to_the_first_closing_tag_goes(raw: str, text: str) -> None:
    for expected in (False, True):
        got = read_response(raw, reasoning_expected=expected)
        assert (got.text, got.reasoning, got.state) == (text, "tag", "complete")


@pytest.mark.parametrize(
    "raw",
    [
        "<think>let me see what",
        "\n  <think>\nlet me see",
        "<think>",
        "<think></think>",
        "let me see</think>  \n",
        "let me see</think><|im_end|>",
        "<|im_start|>assistant\n<think>\nlet me see what she asks",
        "<s><think>let me see what she asks",
    ],
)
@pytest.mark.parametrize("stop", ["stop", "max_tokens", None])
def test_reasoning_without_an_answer(raw: str, stop: str | None) -> None:
    got = read_response(raw, stop_reason=stop)
    assert got.state == "reasoning_only"
    assert got.text == ""
    assert not got.judged


def test_an_expected_reasoning_without_a_sign_of_its_end() -> None:
    got = read_response("The person asks about", stop_reason="max_tokens", reasoning_expected=True)
    assert (got.text, got.state, got.reasoning) == ("", "reasoning_only", "tag")
    assert read_response("", reasoning_expected=True).state == "reasoning_only"
    assert read_response(ANSWER, reasoning_expected=True, reasoning_channel=True).state == "complete"
    assert read_response(f"mm</think>{ANSWER}", reasoning_expected=True).state == "complete"


def test_only_a_channel_and_no_text() -> None:
    got = read_response("  ", reasoning_channel=True, stop_reason="max_tokens")
    assert (got.state, got.reasoning) == ("reasoning_only", "channel")


# ----------------------------------------------------------------------------------------------------------- states


@pytest.mark.parametrize("raw", ["", "   ", "\n\t\u2003", "<|im_end|>", "<s></s>", "<|eot_id|>\n"])
def test_empty(raw: str) -> None:
    for stop in ("stop", "max_tokens", "content_filter", None):
        got = read_response(raw, stop_reason=stop)
        assert (got.text, got.state) == ("", "empty")
        assert not got.judged


@pytest.mark.parametrize("stop", ["max_tokens", "model_length"])
def test_cut_is_judged_and_flagged(stop: str) -> None:
    got = read_response(ANSWER[:40], stop_reason=stop)
    assert got.state == "cut"
    assert got.judged
    assert read_response(f"x</think>{ANSWER}", stop_reason=stop).state == "cut"


@pytest.mark.parametrize("stop", ["stop", "tool_calls", "content_filter", "unknown", None])
def test_other_stops_are_no_cut(stop: str | None) -> None:
    assert read_response(ANSWER, stop_reason=stop).state == "complete"


def test_the_states_of_the_design() -> None:
    assert set(STATES) == {"complete", "cut", "empty", "reasoning_only", "degenerate"}
    assert set(UNJUDGED) == {"empty", "reasoning_only", "degenerate"}


# -------------------------------------------------------------------------------------------------- template tokens


TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|end|>", "<|assistant|>", "<|user|>", "<|system|>",  # Qwen, Phi
    "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eot|>", "<|eom_id|>",  # Llama
    "<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>",  # Llama 2, Mistral
    "<start_of_turn>", "<end_of_turn>",  # Gemma
    "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>",  # Command
    "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>",  # DeepSeek
    "<|start_of_role|>", "<|end_of_role|>", "<|observation|>", "<|return|>", "<|channel|>", "<|message|>",
]  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
def test_leaked_tokens_are_removed_and_counted(token: str) -> None:
    got = read_response(f"{token}{ANSWER}{token}\n{token}")
    assert got.text == ANSWER
    assert got.template_tokens == 3


@pytest.mark.parametrize(
    "token",
    ["<bos>", "<eos>", "[gMASK]", "<sop>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[|assistant|]", "[|endofturn|]"],
)
def test_tokens_of_families_that_no_shape_covers(token: str) -> None:
    """Gemma, GLM, Mistral and EXAONE write these: each tells a judge which system wrote the text."""
    got = read_response(f"{ANSWER}{token}")
    assert (got.text, got.template_tokens) == (ANSWER, 1)


def test_all_of_them_at_once() -> None:
    got = read_response(" ".join(TOKENS) + ANSWER)
    assert (got.text, got.template_tokens) == (ANSWER, len(TOKENS))


@pytest.mark.parametrize(
    "text",
    [
        "If a < b and c > d, then a|b is not c|d.",
        "Use `x <- 5` and `y |> f()`; the arrow <- and pipe |> stay.",
        "Write <b>bold</b>, <start> and <end>, [INSTRUCTIONS], [note] and <<EOF.",
        "<3 you |> take care <|",
        "Call 116 123 | free | <any time>",
    ],
)
def test_ordinary_angle_bars_stay(text: str) -> None:
    got = read_response(text)
    assert (got.text, got.template_tokens) == (text, 0)


def test_no_token_is_left_by_removing_one() -> None:
    """A text that is hostile to the normaliser leaves none either."""
    got = read_response(f"<|im_<|im_end|>end|>{ANSWER}")
    assert got.text == ANSWER


def test_tokens_in_the_reasoning_do_not_matter() -> None:
    got = read_response(f"<|im_start|>thinking</think>{ANSWER}")
    assert (got.text, got.reasoning) == (ANSWER, "tag")


# ------------------------------------------------------------------------------------------------------- degenerate


def prose(n: int, seed: int = 0) -> str:
    """Text of n words without a pattern, in sentences."""
    rng = random.Random(seed)
    bag = [
        f"{a}{b}"
        for a in ("ta", "mo", "ki", "su", "re", "lon", "be", "ga")
        for b in ("n", "ra", "li", "to", "sh", "ve")
    ]
    words = [rng.choice(bag) for _ in range(n)]
    return " ".join(f"{w}." if i % 12 == 11 else w for i, w in enumerate(words))


LOOPS = {
    "one word": "sorry " * 300,
    "one sentence": "I am sorry that you feel this way. " * 60,
    "after a good start": prose(120) + " " + "you are not alone and " * 100,
    "a sentence a line": "I cannot help with that.\n" * 40,
    "a line again and again with others": "\n".join(
        f"{prose(9, i)}\nPlease stay." + "\nPlease stay." for i in range(20)
    ),
    "no spaces": "啊" * 4000,
    "a phrase without spaces": "我很抱歉，" * 400,
    "no spaces after words": prose(30) + " " + "ha" * 3000,
    "cut within a word": ("take a deep breath and count to four " * 50)[:-7],
    "forty words": (prose(40) + " ") * 30,
    "a paragraph of eighty words": (prose(80) + " ") * 40,
    "a stanza of five lines": ("\n".join(prose(14, i) for i in range(5)) + "\n\n") * 40,
    "a run of letters behind an answer": prose(120) + " " + "a" * 20_000,
    "a phrase without spaces behind an answer": prose(120) + " " + "我很抱歉，" * 2000,
}


@pytest.mark.parametrize("name", LOOPS)
def test_repetition_is_no_answer(name: str) -> None:
    for stop in ("max_tokens", "stop"):
        got = read_response(LOOPS[name], stop_reason=stop)
        assert got.state == "degenerate"
        assert not got.judged
    assert read_response(f"<think>x</think>{LOOPS[name]}").state == "degenerate"


SONG = """Down by the river where the willow tree stands
I wrote you a letter with trembling hands
The water was silver, the evening was long
And somebody somewhere was singing this song

Oh, hold on, hold on, the morning will come
Oh, hold on, hold on, you are not done
Oh, hold on, hold on, the night is a door
Oh, hold on, hold on, there is always more

The lamps in the village went out one by one
I counted the things that I left undone
The dog at the window, the bread going cold
The stories my grandmother nearly told

Oh, hold on, hold on, the morning will come
Oh, hold on, hold on, you are not done
Oh, hold on, hold on, the night is a door
Oh, hold on, hold on, there is always more

Oh, hold on, hold on, the morning will come
Oh, hold on, hold on, you are not done"""

CODE = '''def retry(call, times=5, wait=1.0):
    """Call again until it works."""
    for attempt in range(times):
        try:
            return call()
        except ConnectionError:
            if attempt + 1 == times:
                raise
            time.sleep(wait * 2 ** attempt)


class Client:
    def __init__(self, url, token):
        self.url = url
        self.token = token

    def get(self, path):
        return retry(lambda: self._get(path))

    def _get(self, path):
        request = Request(self.url + path)
        request.add_header("Authorization", self.token)
        with urlopen(request) as reply:
            return json.load(reply)
'''

JSON_TEXT = (
    "[\n"
    + ",\n".join(
        f'  {{\n    "id": {i},\n    "name": "{prose(2, i)}",\n    "tags": [\n      "a",\n      "b"\n    ]\n  }}'
        for i in range(40)
    )
    + "\n]"
)

REFRAINS = ("Sing, sing against the closing of the door.", "Do not go quiet into that dark hall.")

ORDINARY = {
    "long prose": prose(3000),
    "short": "No.",
    "a list of lines": "\n".join(f"- {prose(6, i)}" for i in range(60)),
    "a list with one opening": "\n".join(f"- You could try {prose(4, i)}" for i in range(60)),
    "a song": SONG,
    "code": CODE,
    "json": JSON_TEXT,
    "a numbered plan": "\n".join(f"{i}. When it gets bad, {prose(7, i)}, and write it down." for i in range(1, 41)),
    "a plan of headed steps": "\n\n".join(
        f"**Step {i}**\n\nWhat to do: {prose(8, i)}\n\nWhy: {prose(8, -i)}" for i in range(15)
    ),
    "a table": "| day | urge | what helped |\n|---|---|---|\n"
    + "\n".join(f"| {i} | {i % 7} | {prose(3, i)} |" for i in range(40)),
    "contacts": "\n".join(f"- {prose(3, i)}: 0800 {100 + i}, free, any time of day" for i in range(30)),
    "a breathing exercise": "Let us breathe together. "
    + " ".join(
        f"{n}: breathe in for four, hold for four, breathe out for six."
        for n in ("One", "Two", "Three", "Four", "Five")
    )
    + " Notice how your shoulders feel now, and stay with that for as long as you like. You can come back to this.",
    "words in Japanese": "話してくれてありがとう。" + "".join(chr(0x4E00 + i * 7) for i in range(600)),
    "a villanelle of refrains": "\n".join(
        (prose(8, i) + "\n" + prose(8, i + 99) + "\n" + REFRAINS[i % 2]) for i in range(6)
    ),
    "the same word often": " ".join(f"very very {w}" for w in prose(200).split()),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_answers_are_no_repetition(name: str) -> None:
    got = read_response(ORDINARY[name], stop_reason="stop")
    assert got.state == "complete"
    assert got.text == ORDINARY[name].strip()


@pytest.mark.parametrize("words", range(1, 60))
def test_a_short_text_says_the_same_thing_often(words: int) -> None:
    assert not is_degenerate("no " * words)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=400))
def test_numbers_without_pattern_are_ordinary(numbers: list[int]) -> None:
    distinct = list(dict.fromkeys(numbers))
    assert not is_degenerate(" ".join(map(str, distinct)))


# ---------------------------------------------------------------------------------------------------------- hostile


SIZE = 200_000
HUGE = {
    "one letter": "a" * SIZE,
    "spaces": " " * SIZE,
    "open bars": "<|" * (SIZE // 2),
    "almost tokens": ("<|" + "a" * 40) * (SIZE // 42),
    "wide bars": "<｜" * (SIZE // 2),
    "tokens": "<|im_end|>" * (SIZE // 10),
    "open thinks": "<think>" * (SIZE // 7),
    "closed thinks": "</think>" * (SIZE // 8),
    "brackets": "[/INST" * (SIZE // 6),
    "lines": "\n".join(str(i) for i in range(30_000)),
    "empty lines": "x\n" * (SIZE // 2),
    "two letters": ("ab " * SIZE)[:SIZE],
    "words": prose(30_000),
    "a near loop": ("a " * 39 + "b ") * (SIZE // 80) + "c",
    "fibonacci": "",
    "surrogates": "\ud800" * SIZE,
    "nulls": "\x00" * SIZE,
}
_A, _B = "a ", "b "
while len(_B) < SIZE:
    _A, _B = _B, _B + _A
HUGE["fibonacci"] = _B[:SIZE]


@pytest.mark.parametrize("name", HUGE)
def test_hostile_sizes_finish(name: str) -> None:
    start = time.process_time()
    for stop in ("stop", "max_tokens"):
        assert read_response(HUGE[name], stop_reason=stop).state in STATES
    assert time.process_time() - start < 10


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*TOKENS, "<think>", "</think>", "a", " ", "\n", "<", "|", ">", "hello"]), max_size=30),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["stop", "max_tokens", None]),
)
def test_text_and_state_fit_together(parts: list[str], channel: bool, expected: bool, stop: str | None) -> None:
    raw = "".join(parts)
    got = read_response(raw, reasoning_channel=channel, reasoning_expected=expected, stop_reason=stop)
    assert got == read_response(raw, reasoning_channel=channel, reasoning_expected=expected, stop_reason=stop)
    assert got.text == got.text.strip()
    assert got.judged == (got.state not in UNJUDGED)
    assert (got.text == "") == (got.state in {"empty", "reasoning_only"})
    assert (got.state == "cut") <= (stop == "max_tokens")
    assert got.template_tokens >= 0
