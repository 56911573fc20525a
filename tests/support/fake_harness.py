"""A stand-in for lm-evaluation-harness: it writes files of the harness's shape, at once or when it is let."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

N = 60
RIGHT = {"": 54, "You are a helpful assistant.": 42}
"""Right answers of 60 by system instruction; under any other, 48. Of a model with `guess` in its name, 15: chance."""


def install(folder: Path) -> Path:
    """Put a package `lm_eval` into a folder, which is to stand in front of Python's path; a file `hold` in that folder
    makes it wait before it writes. Where there is a file `watched`, whose lines have a process each as their second
    word, it records which of these are running.
    """
    package = folder / "lm_eval"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "__main__.py").write_text(
        textwrap.dedent(f"""\
        import json, math, os, sys, time
        from pathlib import Path
        words, folder = sys.argv[2:], Path({str(folder)!r})
        def option(name, default=None):
            return words[words.index(name) + 1] if name in words else default
        args, system = json.loads(option("--model_args")), option("--system_instruction")
        name = args.get("model") or args["pretrained"]
        out = Path(option("--output_path")) / name.replace("/", "__")
        def running(pid):
            try:
                return Path(f"/proc/{{pid}}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
            except OSError:
                return False
        watched = folder / "watched"
        others = [line.split()[1] for line in watched.read_text().splitlines()] if watched.exists() else []
        record = {{"others": sum(map(running, others)), "pid": os.getpid(), "group": os.getpgid(0), "args": args,
                   "backend": option("--model"), "system": system, "key": os.environ.get("OPENAI_API_KEY")}}
        with (folder / "starts.jsonl").open("a") as starts:
            starts.write(json.dumps(record) + "\\n")
        if (folder / "fail").exists():
            print("made-up failure")
            sys.exit(3)
        while (folder / "hold").exists():
            print("Requesting API: 3/60 [00:01]", flush=True)
            time.sleep(0.05)
        right = 15 if "guess" in name else {RIGHT!r}.get(system or "", 48)
        task = option("--tasks")
        out.mkdir(parents=True)
        date = f"2026-01-01T00-00-{{time.time() % 60:09.6f}}"
        mean = right / {N}
        error = math.sqrt(mean * (1 - mean) / {N - 1})
        told = {{
            "results": {{task: {{"alias": task, "acc,none": mean, "acc_stderr,none": error}}}},
            "group_subtasks": {{}}, "configs": {{task: {{"output_type": "multiple_choice"}}}},
            "versions": {{task: 1.0}}, "n-shot": {{task: 0}},
            "n-samples": {{task: {{"original": {N}, "effective": {N}}}}},
            "config": {{"model": option("--model"), "model_args": args}}, "date": time.time(),
            "lm_eval_version": "0.4.13", "git_hash": "abc", "chat_template": None, "system_instruction": system,
            "model_name": name,
        }}
        with (out / f"samples_{{task}}_{{date}}.jsonl").open("w") as samples:
            for i in range({N}):
                asked = {{f"gen_args_{{c}}": {{"arg_0": "a made-up question", "arg_1": f" {{c}}"}} for c in range(4)}}
                line = {{"doc_id": i, "arguments": asked, "filter": "none", "metrics": ["acc"],
                         "doc_hash": f"{{i:04x}}".ljust(64, "0"), "acc": float(i < right)}}
                samples.write(json.dumps(line) + "\\n")
        (out / f"results_{{date}}.json").write_text(json.dumps(told))
        """),
        encoding="utf-8",
    )
    return folder


def starts(folder: Path) -> list[dict[str, Any]]:
    """How the harness was started, each time."""
    path = folder / "starts.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
