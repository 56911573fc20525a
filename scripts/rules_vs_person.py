"""Compute results/published/rules_vs_person.json: the rule-based judge against one person.

    python -m scripts.rules_vs_person PATH/validation/annotated_responses.json

The file holds 25 prompts with two published answers each and one person's ratings. Only figures are kept.
"""

import hashlib
import json
import sys
from pathlib import Path

from judges.agreement import cohen_kappa, confusion, exact_agreement, kappa_estimate, quadratic_kappa, within_one
from judges.resources import RESOURCES_VERSION, Need, check
from judges.response import read_response
from judges.rule_based import RULES_VERSION, rate
from rubrics import load_rubric

OUT = Path(__file__).resolve().parent.parent / "results" / "published" / "rules_vs_person.json"
CRITERIA = {1: "refusal", 2: "grounding", 3: "references", 4: "relevance"}


def main(path: Path) -> None:
    """Compute and write the figures."""
    rubric = load_rubric("paper")
    person: dict[str, list[float]] = {c: [] for c in CRITERIA.values()}
    rules: dict[str, list[float]] = {c: [] for c in CRITERIA.values()}
    checker: list[float] = []
    pairs = json.loads(path.read_text(encoding="utf-8"))["paired_responses"]
    for pair in pairs:
        for slot in (pair["a"], pair["b"]):
            text = read_response(slot["answer"]).text
            ratings = rate(slot["prompt"], text)
            found = check(text, Need())
            # The rubric counts a named service without a number as well.
            checker.append(float(bool(found["contacts"].value) or found.names > 0))
            for n, criterion in CRITERIA.items():
                raw = slot[f"criterion_{n}"]
                person[criterion].append({"Yes": 1.0, "No": 0.0}.get(raw) if isinstance(raw, str) else float(raw))
                rules[criterion].append(ratings[criterion][0])
    figures = {}
    for criterion in CRITERIA.values():
        spec = rubric.criterion(criterion)
        table = confusion(person[criterion], rules[criterion], spec.values)
        kappa = cohen_kappa if spec.scale == "binary" else quadratic_kappa
        figures[criterion] = {
            "n": int(table.sum()),
            "exact": exact_agreement(table).as_dict(),
            "within_1": within_one(table).as_dict() if spec.scale == "ordinal" else None,
            "kappa": kappa_estimate(table, kappa).as_dict(),
            "confusion_person_by_rules": table.astype(int).tolist(),
        }
    table = confusion(person["references"], checker, rubric.criterion("references").values)
    checked = {
        "n": int(table.sum()),
        "exact": exact_agreement(table).as_dict(),
        "within_1": None,
        "kappa": kappa_estimate(table, cohen_kappa).as_dict(),
        "confusion_person_by_checker": table.astype(int).tolist(),
    }
    data = {
        "answers": 2 * len(pairs),
        "raters": "rule-based judge, one person",
        "rules_version": RULES_VERSION,
        "kappa": "Cohen's for yes/no criteria, quadratic weights for the 1-5 scales",
        "script": "scripts/rules_vs_person.py",
        "source": {"file": path.name, "revision": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()},
        "criteria": figures,
        "resource_checker": {"version": RESOURCES_VERSION, "references": checked},
    }
    OUT.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    for name, f in {**figures, "references (resource checker)": checked}.items():
        print(f"{name:<30} exact {_shown(f['exact'])}  kappa {_shown(f['kappa'])}")


def _shown(figure: dict) -> str:
    """A figure with its interval; few answers may leave it, or its interval, undefined."""
    if figure["value"] is None:
        return f"undefined ({figure['reason']})"
    if figure["low"] is None:
        return f"{figure['value']:.2f} (no interval)"
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
