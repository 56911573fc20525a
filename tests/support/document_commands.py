"""How each command of the documents is run by a test: what is put in a placeholder's stead, and what is not run.

Hosted models and vLLM's are played by a server on loopback (`tests/support/openai_server.py`), data sets are fetched
from one, and a bucket is one of an S3-compatible server: the real clients, and nobody else's machine.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.documents import DOCUMENTS, ROOT, commands, spoken, words

NETWORK = "fetches from the internet"
INSTALLS = "installs packages from an index"
LONG = "takes an hour or more"
STANDS_IN = "the test's own server stands there"
WEIGHTS = "needs a GPU and the weights of a model"
SHELL = "`make setup` makes what it activates; tests run in such an environment"

NOT_RUN: dict[str, str] = {
    "make setup": INSTALLS,
    ". .venv/bin/activate": SHELL,
    "make test": "is what runs this test",
    "make test-slow": "is what runs this test",
    "make coverage": "takes as long again as `make test`, which it runs",
    "make bench": "takes ten minutes and measures nothing beside other work; tests/bench runs each bench small",
    "make study": LONG,
    "python -m bench.study --comparisons": LONG,
    "python -m bench.sweeps": LONG,
    "python scripts/gpu_check.py": "needs a GPU and the extra `tiny`",
    "pip install -e '.[s3]'": INSTALLS,
    "pip install -e '.[vllm]' -c constraints/vllm.txt": INSTALLS,
    "pip install -e '.[capabilities]' -c constraints/base.txt -c constraints/capabilities.txt": INSTALLS,
    "pip install -e '.[capabilities,tiny]' -c constraints/base.txt -c constraints/capabilities.txt": INSTALLS,
    "vllm serve giannor/Qwen3.5-27B-psysafe --served-model-name psysafe --language-model-only": WEIGHTS,
    "export VLLM_BASE_URL=http://localhost:8000/v1": STANDS_IN,
    "export LAB_BASE_URL=https://models.example.org/v1": STANDS_IN,
    "export LAB_API_KEY=...": STANDS_IN,
    "psychosafe data fetch xstest": f"{NETWORK} a file pinned by checksum; tests/evals/test_data_fetch.py has another",
}  # fmt: skip
"""Commands that no test runs as they stand, and why."""

HOSTED = (
    ("openai/gpt-5-mini", "openai-api/lab/gpt-5-mini"),
    ("openai/gpt-5", "openai-api/lab/gpt-5"),
    ("openai/gpt-4.1-mini", "openai-api/lab/gpt-4.1-mini"),
    ("anthropic/claude-sonnet-4-5", "openai-api/lab/claude-sonnet-4-5"),
    ("openrouter/mistralai/mistral-large-2512", "openai-api/lab/mistral-large-2512"),
)
"""Hosted models, and the names under which the server on loopback plays them: in commands, panels and suites."""
VLLM = ("Qwen/Qwen3.5-27B", "psysafe", "kind", "your-compliant-model")
JUDGES = ("mistral-large-3-675b-instruct-2512", "qwen3.5-397b-a17b")
"""What else the server has to know: models behind VLLM_BASE_URL, judges behind JUDGE_BASE_URL."""

SMALL = "--model policy/steerable --limit 4"
"""For a command that names a task and no model."""
HARNESS = "psychosafe capabilities --model"

INSTEAD: dict[str, tuple[str, ...]] = {
    # A checkout whose environment is there already.
    "make demo": ("make -o setup demo",),
    "make licences": ("make -o setup licences",),
    "make sbom": ("make -o setup sbom",),
    "make audit ADVISORIES=FOLDER": ("make -o setup audit ADVISORIES=advisories",),
    "inspect eval evals/escalation.py": (f"inspect eval evals/escalation.py {SMALL}",),
    "inspect eval evals/xstest.py": (f"inspect eval evals/xstest.py {SMALL} -T prompts=xstest_prompts.csv",),
    "inspect eval evals/sorry_bench.py": (f"inspect eval evals/sorry_bench.py {SMALL}",),
    "HF_TOKEN=... psychosafe data fetch sorry_bench": ("HF_TOKEN=hf_made_up psychosafe data fetch sorry_bench",),
    "psychosafe import csv|label-studio|argilla": (
        "psychosafe import csv ratings.csv", "psychosafe import label-studio export.json",
        "psychosafe import argilla records.json",
    ),
    "psychosafe reproduce psychosafe [FILE]": (
        "psychosafe reproduce psychosafe",
        "psychosafe reproduce psychosafe compare_all_judges_qwen3.5_full_vs_sft.json",
    ),
    "psychosafe judge check offline --card DIR": ("psychosafe judge check offline --items 4 --card card",),
    "psychosafe judge check offline --format markdown": ("psychosafe judge check offline --items 4 --format markdown",),
    "psychosafe COMMAND --help": ("psychosafe run --help",),
    # The harness is an extra that is not everywhere; test_capabilities_cli.py runs it where it is.
    f"{HARNESS} Qwen/Qwen3.5-27B --base-url http://localhost:8000/v1": (
        f"{HARNESS} Qwen/Qwen3.5-27B --base-url http://localhost:8000/v1 --dry-run",
    ),
    f"{HARNESS} Qwen/Qwen3.5-27B --base-url http://localhost:8000/v1 --condition prompted --against RUN": (
        f"{HARNESS} Qwen/Qwen3.5-27B --base-url http://localhost:8000/v1 --condition prompted --against RUN --dry-run",
    ),
    f"{HARNESS} psysafe --base Qwen/Qwen3.5-27B --base-url http://localhost:8000/v1 --against RUN": (
        f"{HARNESS} psysafe --base Qwen/Qwen3.5-27B --base-url http://localhost:8000/v1 --against RUN --dry-run",
    ),
    "psychosafe judge check panel.yaml --labelled labelled.csv --card cards": (
        "psychosafe judge check panel.yaml --labelled labelled.csv --items 4 --card cards",
    ),
    "psychosafe run SUITE": ("psychosafe run suite.yaml",),
    "psychosafe run suite.yaml --serve-commands": ("psychosafe run served.yaml --serve-commands",),
    "psychosafe run suite.yaml --dir URL --shard 2/4": (
        "psychosafe run suite.yaml --dir s3://bucket/parts --shard 2/4",
    ),
    "psychosafe run SUITE --dir s3://... --workers N": (
        "psychosafe run suite.yaml --dir s3://bucket/mine --workers 2",
    ),
    "psychosafe ingest s3://.../logs": ("psychosafe ingest s3://bucket/mine/logs",),
}  # fmt: skip
"""What is run for a command that holds a placeholder, leaves something out, or would take long."""

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
STORIES: dict[str, tuple[Path, ...]] = {
    "how-to": (DOCS / "how-to.md",),
    "protocol": (DOCS / "annotation-protocol.md",),
    "suites": (DOCS / "suites.md", DOCS / "scaling.md"),
}
_OWN = {TUTORIAL, *(d for documents in STORIES.values() for d in documents)}
STORIES["readme"] = tuple(d for d in DOCUMENTS if d not in _OWN)
"""Documents whose commands are run one after the other in one folder; the tutorial's by tests/e2e/test_tutorial.py."""


def all_commands() -> list[str]:
    """Every command of every document, once."""
    return list(dict.fromkeys(c for d in DOCUMENTS for c in (*commands(d), *spoken(d))))


def shown() -> list[str]:
    """Commands that stand in a block, and so are meant to be typed."""
    return list(dict.fromkeys(c for d in DOCUMENTS for c in commands(d)))


def covered(mention: str) -> bool:
    """Whether a command that a sentence names is part of one that is run: all its words, in their order."""
    return any(_within(words(mention), words(c)) for c in shown() if c not in NOT_RUN)


def _within(few: list[str], many: list[str]) -> bool:
    rest = iter(many)
    return all(word in rest for word in few)


def story(name: str) -> list[str]:
    """The commands of a story in their order, as the documents have them; what a sentence repeats is run once."""
    found: list[str] = []
    for document in STORIES[name]:
        found += [c for c in commands(document) if c not in NOT_RUN]
        named = [c for c in spoken(document) if c not in NOT_RUN and (c in INSTEAD or not covered(c))]
        found += [c for c in dict.fromkeys(named) if c not in found]
    return found


def as_run(command: str) -> tuple[str, ...]:
    """The command lines that are run for a command of a document."""
    return tuple(hosted(_first_look(line)) for line in INSTEAD.get(command, (command,)))


def hosted(text: str) -> str:
    """The text with the server on loopback in the place of hosted models."""
    for name, played in HOSTED:
        text = re.sub(rf"(?<![\w/-]){re.escape(name)}(?![\w.-])", played, text)
    return text


def _first_look(line: str) -> str:
    """A run of all prompts becomes one of forty."""
    return f"{line} --limit 40" if line.startswith("inspect eval ") and "--limit" not in line else line
