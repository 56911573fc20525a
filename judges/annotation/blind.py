"""Taking out of a response what would name its author: reasoning, template tokens, and the model's own name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from judges.response import read_response

ASSISTANT: Final = "[assistant]"
COMPANY: Final = "[company]"

# Names that are nothing but a product: taken out wherever they stand. A version, size or variant behind it belongs to
# the name.
_NUMBER: Final = r"\d\w*(?:\.\d\w*)*"
_VERSION: Final = (
    rf"(?:[ -]v?{_NUMBER}(?![\w%]))?(?:[ -](?:Instruct|Chat|Turbo|Mini|Pro|Flash|Max|Plus|Nano|Base|\d+[BM])\b)*"
)
_PRODUCT: Final = re.compile(
    rf"\b(?:Chat-?GPT|GPT-?{_NUMBER}|GPT-?oss|text-davinci|DeepSeek(?:-[A-Z]\w*)?|Qwen\w*(?:\.\d\w*)?|QwQ"
    rf"|(?:Llama|Claude|Gemini|Gemma|Mistral|Phi|GLM)-?{_NUMBER}|Mixtral|Vicuna|ChatGLM\w*|InternLM\w*|Alpaca-\d+B"
    r"|Zephyr-\d+B|(?-i:Claude (?:Opus|Sonnet|Haiku|Instant)|Gemini (?:Pro|Flash|Ultra|Nano)"
    rf"|Mistral (?:Large|Medium|Nemo)|Command R)|psysafe)(?!\w){_VERSION}",
    re.I,
)

# Names that are also words or people's names: taken out only where the speaker says it of itself.
_AMBIGUOUS: Final = (
    r"(?:Claude|Gemini|Bard|Llama|Mistral|Gemma|Grok|Copilot|Bing|Phi|Falcon|Yi|Kimi|Ernie|Pi|Nova|Command|GLM|Alpaca"
    r"|Zephyr|Olmo|Nemotron|Granite|Doubao|Hunyuan|MiniMax)"
)
_MAKER: Final = (
    r"(?:Open ?AI|Anthropic|Alibaba(?: Cloud| Group)?|Google(?: DeepMind)?|DeepMind|Meta(?: AI)?|Mistral(?: AI)?|xAI"
    r"|Microsoft|DeepSeek(?: AI)?|Cohere|Baidu|Tencent|ByteDance|Moonshot(?: AI)?|Zhipu(?: AI)?|Amazon|Apple|NVIDIA|IBM"
    r"|Hugging ?Face|Nous Research|AI2|Allen Institute for AI|Tongyi Lab)"
)
_UNMISTAKABLE_MAKER: Final = re.compile(r"\b(?:OpenAI|Anthropic|Alibaba Cloud|Mistral AI|DeepMind|Tongyi Lab|xAI)\b")

_SELF: Final = (
    r"(?:\b(?:I am|I['’]m|I was|my name is|my name['’]s|call me|known as|this is|speaking as|soy|ich bin|je suis)"
    r"|我是|我叫)"
)
_SELF_NAME: Final = re.compile(
    rf"(?P<before>{_SELF}[\s,:*_\"“]{{0,3}})(?-i:{_AMBIGUOUS})(?![a-zA-Z]){_VERSION}"
    # "As Claude, I" speaks of itself; "as Claude told you" may not.
    rf"|(?P<as>\bas )(?-i:{_AMBIGUOUS}){_VERSION}(?=[,.;:!?]|$)",
    re.I,
)
_MADE_BY: Final = re.compile(
    r"(?P<before>\b(?:made|developed|created|trained|built|designed|released|provided|produced|hosted|powered|run)"
    r"(?: and (?:trained|developed|maintained|released))? (?:by|at)(?: the)?"
    rf"(?: (?:team|people|researchers|company) (?:at|of))?\s+){_MAKER}\b",
    re.I,
)
_MODEL_OF: Final = re.compile(
    rf"\b{_MAKER}(?P<after>['’]s (?:language |AI )?(?:model|assistant|chatbot|guidelines|polic\w+))", re.I
)
_AI_NAME: Final = re.compile(
    r"(?P<before>\b(?:assistant|chatbot|language model|AI model),?(?: (?:named|called|known as))? )"
    rf"(?-i:{_AMBIGUOUS})(?![a-zA-Z])",
    re.I,
)
_REASONING: Final = re.compile(r"<(think|thinking|reasoning|reflection|scratchpad)>.*?(?:</\1>|\Z)", re.S | re.I)
_ARTEFACT: Final = re.compile(
    r"</?(?:think|thinking|reasoning|reflection|scratchpad|answer|response|assistant|final)>|<\|[^|<>\n]{1,40}\|>"
    r"|\[/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS)\]|<</?SYS>>|</?s>|<(?:bos|eos|pad|unk)>|<(?:start|end)_of_turn>"
    r"|^#{2,3} ?(?:Assistant|Response|Human|Instruction|User):?[ \t]*$|\A\s*(?:Assistant|ASSISTANT|AI|Model)\s*:\s*",
    re.I | re.M,
)  # fmt: skip


def clean(text: str) -> str:
    """A text that every page and database can hold: no lone surrogates, no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "�")


def blind(text: str, names: Sequence[str] = ()) -> str:
    """A response without what names its author.

    Reasoning and chat-template tokens go. A product name that can be nothing else (`ChatGPT`, `Qwen3.5-27B`) becomes
    `[assistant]` wherever it stands; a name that is also a word or a person's name (`Claude`, `Gemini`) only where the
    speaker says it of itself; a maker becomes `[company]` after `made by` and the like. Messages are never changed.

    Args:
        text: The response.
        names: Further names to take out as whole words: models, runs, aliases.

    Returns:
        The blinded text, stripped; empty if nothing but reasoning was there.
    """
    text = read_response(_REASONING.sub("", clean(text))).text
    for _ in range(3):
        # A token inside a token leaves another one.
        text, n = _ARTEFACT.subn("", text)
        if not n:
            break
    if given := _given(names):
        text = given.sub(ASSISTANT, text)
    text = _MADE_BY.sub(rf"\g<before>{COMPANY}", text)
    text = _MODEL_OF.sub(rf"{COMPANY}\g<after>", text)
    text = _SELF_NAME.sub(lambda m: f"{m['before'] or m['as']}{ASSISTANT}", text)
    text = _AI_NAME.sub(rf"\g<before>{ASSISTANT}", text)
    text = _PRODUCT.sub(ASSISTANT, text)
    return _UNMISTAKABLE_MAKER.sub(COMPANY, text).strip()


def leaks(text: str, names: Sequence[str] = ()) -> list[str]:
    """What in a blinded text could still name its author, at most ten findings of at most 40 characters each.

    Wider than what `blind` takes out, so that a person looks: any product or maker name, also where it may be an
    ordinary word, any given name, and any template token.

    Args:
        text: A text that `blind` has gone over.
        names: The same further names.
    """
    checks = [_PRODUCT, re.compile(rf"\b(?-i:{_AMBIGUOUS})\b"), _UNMISTAKABLE_MAKER, _ARTEFACT]
    if given := _given(names):
        checks.append(given)
    found = dict.fromkeys(m.group(0).strip()[:40] for check in checks for m in check.finditer(text))
    return [f for f in found if f][:10]


def _given(names: Sequence[str]) -> re.Pattern[str] | None:
    """Names as whole words; shorter than three letters they would hit ordinary text."""
    kept = sorted({n.strip() for n in names if len(n.strip()) >= 3}, key=lambda n: (-len(n), n))
    if not kept:
        return None
    return re.compile(r"(?<![\w])(?:" + "|".join(map(re.escape, kept)) + r")(?![\w])", re.I)
