"""How fast a model of a real size answers on one GPU, plain and with a LoRA adapter: tokens a second, peak memory.

    python scripts/gpu_check.py                       # about 0.6 B parameters, random weights, bfloat16
    python scripts/gpu_check.py --size tiny --device cpu --batches 1,2 --prompt 32 --new 8   # to try it anywhere

Needs torch, transformers and peft, and of this project the file evals/tiny.py alone. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path


def tiny():
    """The file evals/tiny.py, loaded without its package."""
    path = Path(__file__).resolve().parents[1] / "evals" / "tiny.py"
    spec = importlib.util.spec_from_file_location("tiny", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tiny"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def timed(model, batch: int, prompt: int, new: int, device: str, vocabulary: int) -> dict:
    """One batch of random prompts, after a short one to warm up."""
    import torch

    cuda = device.startswith("cuda")
    generator = torch.Generator().manual_seed(batch)
    ids = torch.randint(10, vocabulary, (batch, prompt), generator=generator).to(device)
    asked = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "do_sample": False, "pad_token_id": 0}
    with torch.inference_mode():
        model.generate(**asked, max_new_tokens=2, min_new_tokens=2)
        if cuda:
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        started = time.perf_counter()
        out = model.generate(**asked, max_new_tokens=new, min_new_tokens=new)
        if cuda:
            torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    made = out.shape[0] * (out.shape[1] - prompt)
    peak = round(torch.cuda.max_memory_allocated() / 2**30, 3) if cuda else None
    return {
        "batch": batch,
        "new_tokens": made,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(made / seconds, 1),
        "peak_gib": peak,
    }


def main() -> None:
    """Parse the arguments, measure, print."""
    parts = tiny()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(parts.SHAPES), default="0.6b")
    parser.add_argument("--batches", default="1,8,32,128")
    parser.add_argument("--prompt", type=int, default=512, help="tokens of each prompt")
    parser.add_argument("--new", type=int, default=128, help="tokens that are generated")
    parser.add_argument("--rank", type=int, default=16, help="rank of the adapter")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=160, help="start no further batch after that long")
    args = parser.parse_args()

    import peft
    import torch
    import transformers

    begun = time.perf_counter()
    cuda = args.device.startswith("cuda")
    shape = parts.SHAPES[args.size]
    model = parts.build_model(shape, 0, args.device, "bfloat16" if cuda else "float32")
    out = {
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "versions": {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
            "cuda": torch.version.cuda,
            "python": sys.version.split()[0],
        },
        "size": args.size,
        "parameters": sum(p.numel() for p in model.parameters()),
        "prompt": args.prompt,
        "new": args.new,
        "build_seconds": round(time.perf_counter() - begun, 1),
        "base": [],
        "adapter": [],
        "left_out": [],
    }
    batches = [int(b) for b in args.batches.split(",")]
    for name in ("base", "adapter"):
        if name == "adapter":
            model = parts.add_adapter(model, args.rank)
            out["adapter_parameters"] = sum(p.numel() for n, p in model.named_parameters() if "lora_" in n)
        for batch in batches:
            if time.perf_counter() - begun > args.seconds:
                out["left_out"].append(f"{name}, batch {batch}: out of time")
                continue
            try:
                out[name].append(timed(model, batch, args.prompt, args.new, args.device, shape.vocabulary))
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                out["left_out"].append(f"{name}, batch {batch}: out of memory")
    out["total_seconds"] = round(time.perf_counter() - begun, 1)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
