"""A small Qwen3-shaped model with random weights, a tokenizer and a LoRA adapter, built here from a seed.

It says nothing sensible. It is there so that the path of a fine-tuned model (base, adapter, merged weights) is run for
real without fetching one: by a slow test on a processor, and by `scripts/gpu_check.py` at the size of a real model on a
GPU. This file imports nothing of the project, so that it can be carried to a machine that has torch, transformers
and peft alone (the extra `tiny`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Turns as the Qwen family marks them: a generation starts with a thought unless thinking is switched off.
CHAT_TEMPLATE: Final = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{{- '<|im_start|>assistant\\n' -}}"
    "{%- if enable_thinking is defined and enable_thinking is false -%}"
    "{{- '<think>\\n\\n</think>\\n\\n' -}}"
    "{%- endif -%}"
    "{%- endif -%}"
)
SPECIAL: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
CORPUS: Final = (
    "You are a helpful assistant. Which of these is right? Answer with one letter.",
    "A made-up message about a hard day, and a kind answer to it: I am sorry that today was hard.",
    "I cannot help with that. If you like, we can look for someone to talk to, near you or on the telephone.",
    "The kettle is in the kitchen. The garden needs water in summer. A week has seven days, a year has twelve months.",
    "Question: how many legs has a cat? A. two B. three C. four D. five Answer: C",
)
"""What the tokenizer is trained on; every other text falls apart into bytes."""
TARGETS: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Shape:
    """The size of a model, in the words of its configuration.

    Attributes:
        hidden: Width of the residual stream.
        layers: Number of layers.
        heads: Attention heads.
        kv_heads: Heads of keys and values.
        head_dim: Width of a head.
        intermediate: Width of the feed-forward layer.
        vocabulary: Rows of the embedding; at least those of the tokenizer.
        positions: Longest input.
    """

    hidden: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 16
    intermediate: int = 128
    vocabulary: int = 512
    positions: int = 2048


SHAPES: Final = {
    "tiny": Shape(),
    "0.6b": Shape(1024, 28, 16, 8, 128, 3072, 151_936, 8192),
    "1.7b": Shape(2048, 28, 16, 8, 128, 6144, 151_936, 8192),
    "4b": Shape(2560, 36, 32, 8, 128, 9728, 151_936, 8192),
}
"""By name; all but the first are about that many parameters."""


def build_model(shape: Shape, seed: int = 0, device: str = "cpu", dtype: str = "float32") -> Any:
    """A Qwen3 model with random weights.

    Args:
        shape: Its size.
        seed: Of the weights.
        device: Where the weights are made.
        dtype: Name of a torch type, as `bfloat16`.

    Returns:
        A `transformers.Qwen3ForCausalLM` in evaluation mode.
    """
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        hidden_size=shape.hidden, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim, intermediate_size=shape.intermediate,
        vocab_size=shape.vocabulary, max_position_embeddings=shape.positions, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device):
            return Qwen3ForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)


def add_adapter(model: Any, rank: int = 8, seed: int = 1) -> Any:
    """A LoRA adapter with random weights on a model; without training it changes every answer all the same.

    Args:
        model: The base; it is wrapped, and part of the result.
        rank: Rank of the adapter.
        seed: Of its weights.

    Returns:
        A `peft.PeftModel` in evaluation mode.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank, lora_alpha=4 * rank, target_modules=list(TARGETS), init_lora_weights=False, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config).eval()


def build_tokenizer(vocabulary: int = 512) -> Any:
    """A byte-level tokenizer trained on `CORPUS`, with turns and a chat template of the Qwen shape.

    Args:
        vocabulary: The most tokens that it may have; 261 are the bytes and the marks.

    Returns:
        A `transformers.PreTrainedTokenizerFast`.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    made.train_from_iterator(CORPUS, trainer)
    marks = {"eos_token": SPECIAL[2], "pad_token": SPECIAL[0]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **marks)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def save_all(folder: Path, shape: Shape | None = None, seed: int = 0) -> tuple[Path, Path, Path]:
    """A base model, an adapter for it and the two merged, each with the tokenizer, as folders of the usual layout.

    Args:
        folder: Where they go: `tiny-base`, `tiny-adapter` and `tiny-tuned` in it.
        shape: Size of the base; `tiny` if not given.
        seed: Of its weights; the adapter's is one more.

    Returns:
        The three folders.
    """
    shape = shape or SHAPES["tiny"]
    base, adapter, tuned = (folder / name for name in ("tiny-base", "tiny-adapter", "tiny-tuned"))
    tokenizer = build_tokenizer(min(shape.vocabulary, 512))
    model = build_model(shape, seed)
    model.save_pretrained(base)
    wrapped = add_adapter(model, seed=seed + 1)
    wrapped.save_pretrained(adapter)
    # So that the adapter knows its base wherever the three folders are moved together with their file names kept.
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = str(base)
    (adapter / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    wrapped.merge_and_unload().save_pretrained(tuned)
    for place in (base, adapter, tuned):
        tokenizer.save_pretrained(place)
    return base, adapter, tuned
