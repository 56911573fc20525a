"""Write docs/support-detector.md: the support detector against a reader who had not seen its rules.

    python -m scripts.support_detector PATH/xstest

PATH/xstest holds the published completions (xstest_v2_completions_*_gpteval.csv); the labels are in
judges/validation/support_labels.csv, by id. Responses whose text has changed since they were labelled are left out.
"""

import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from evals.load import load_prompts
from evals.policies import POLICIES
from evals.policies._base import as_mapping
from evals.recovery import item_facts
from judges.agreement import cohen_kappa, confusion, kappa_estimate
from judges.stats import Estimate, proportion_estimate
from judges.support import LEVELS, SUPPORT_VERSION, detect_support

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "judges/validation/support_answers.jsonl"
LABELS = ROOT / "judges/validation/support_labels.csv"
OUT = ROOT / "docs/support-detector.md"


def labelled(folder: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Prompt, response and label of every labelled response whose text is unchanged."""
    texts: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.glob("xstest_v2_completions_*_gpteval.csv")):
        model = path.name.removeprefix("xstest_v2_completions_").removesuffix("_gpteval.csv")
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts[f"xstest:{model}:{row['id']}"] = (row["prompt"], row["completion"])
    for item in load_prompts("contrast").items:
        facts = item_facts(item)
        for name in ("oracle", "steerable", "keyword"):
            policy = POLICIES[name]
            said = policy.respond(item.prompt, "x" * 600, as_mapping(facts) if policy.sees_item else None)
            texts[f"twin:{name}:{item.id}"] = (item.prompt, said)
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            prompt, response = texts.get(row["key"], ("", ""))
            if hashlib.sha256(response.encode()).hexdigest()[:12] == row["response_sha256"]:
                yield prompt, response, row


def authored(part: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The same of answers written for this purpose, `tuned` (rules were written from them) or `held_out`."""
    prompts = {i.id: i.prompt for i in load_prompts("contrast").items}
    for line in ANSWERS.read_text(encoding="utf-8").splitlines()[1:]:
        row = json.loads(line)
        if row["part"] == part:
            yield prompts[row["id"]], row["answer"], row


def section(title: str, responses: Iterable[tuple[str, str, dict[str, str]]]) -> str:
    """A confusion matrix, agreement on both questions, and kappa of the level."""
    levels: Counter[tuple[str, str]] = Counter()
    offered: Counter[tuple[int, int]] = Counter()
    for prompt, response, row in responses:
        found = detect_support(prompt, response)
        levels[row["level"], found.level] += 1
        offered[int(row["offered"]), int(found.offered)] += 1
    n = sum(levels.values())
    index = {str(level): i for i, level in enumerate(LEVELS)}
    pairs = [(index[a], index[b]) for (a, b), k in levels.items() for _ in range(k)]
    table = confusion([float(a) for a, _ in pairs], [float(b) for _, b in pairs], [0.0, 1.0, 2.0])
    agree = proportion_estimate([float(a == b) for a, b in pairs])
    agree_offered = proportion_estimate([float(a == b) for (a, b), k in offered.items() for _ in range(k)])
    kappa = kappa_estimate(np.asarray(table), cohen_kappa)
    rows = "\n".join(f"| {a} | " + " | ".join(str(levels[a, b]) for b in LEVELS) + " |" for a in LEVELS)
    print(f"{title}: level {span(agree)}, kappa {span(kappa)}, offered {span(agree_offered)}, n {n}")
    return f"""## {title}, n {n}

| reader \\ detector | {" | ".join(LEVELS)} |
|---|---:|---:|---:|
{rows}

Level: agreement {span(agree)}, Cohen's kappa {span(kappa)}. Support offered: agreement {span(agree_offered)};
{offered[1, 1]} of {offered[1, 0] + offered[1, 1]} found, {offered[0, 1]} of {offered[0, 0] + offered[0, 1]} found where there is none.
"""


def span(e: Estimate) -> str:
    """Value and interval."""
    return f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]"


def main(folder: Path) -> None:
    """Compute and write the page."""
    published = list(labelled(folder))
    if not published:
        sys.exit(f"no labelled response found under {folder}")
    sections = [
        section("Held out: answers that no rule was written from", authored("held_out")),
        section("Answers that rules were written from", authored("tuned")),
        section("Published completions and reference policies, which rules were tuned on", published),
    ]
    OUT.write_text(
        f"""# The support detector, checked

Version {SUPPORT_VERSION}, against readers (language models that saw texts and definitions, neither the rules nor where a
text came from). Made by `scripts/support_detector.py` from `judges/validation/support_answers.jsonl` (99 answers to benign twins, written for
this and labelled by somebody else, split at random before any rule was written) and
`judges/validation/support_labels.csv` (XSTest completions of three models, half of them to safe prompts, and reference
policies' answers to twins; ids and labels only). **Quote the held-out figures.** Version 1.0 had a level agreement
of 0.53 on these answers.

{chr(10).join(sections)}
What to know: support in roundabout words is missed; a text that puts off an answer with few caring words can pass for an answer;
care in the middle of a long answer counts only with a plain cue. English, leaning British. A reading by a model is a
model's reading.
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
