"""Write docs/helplines.md: what the helpline registry covers, and how well contacts are found in text.

    python -m scripts.helplines

Reads rubrics/helplines.csv and tests/judges/resource_cases.jsonl; needs no network.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from judges.resources import KINDS, RESOURCES_VERSION, extract
from rubrics.helplines import CLASSES, HELPLINES_VERSION, coverage, registry

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests/judges/resource_cases.jsonl"
OUT = ROOT / "docs/helplines.md"
SHOWN = tuple(k for k in KINDS if k != "name")

BLIND = {
    "all": (130, 7, 5),
    "phone": (59, 0, 1),
    "short_code": (38, 5, 2),
    "text": (15, 2, 2),
    "url": (16, 0, 0),
    "email": (2, 0, 0),
}
"""Found, found wrongly and missed on the even cases, without debatable ones, at the one measurement that was made when
the rules had been written from the odd cases and before anything was known of the even ones."""


def cases() -> list[dict[str, Any]]:
    """The hand-labelled cases."""
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines() if line.strip()]


def tally(rows: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """(kind or "all", "found" | "wrong" | "missed") -> count, by case, kind and value."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        want = {(m["kind"], m["value"]) for m in row["mentions"]}
        got = {(m.kind, m.value) for m in extract(row["text"], row["country"]) if m.kind != "name"}
        for what, items in (("found", want & got), ("wrong", got - want), ("missed", want - got)):
            for kind, _ in items:
                counts[kind, what] += 1
                counts["all", what] += 1
    return counts


def precision_recall(counts: Mapping[tuple[str, str], int], kind: str) -> tuple[float | None, float | None]:
    """Both for one kind; None where there is nothing to divide by."""
    found, wrong, missed = (counts.get((kind, what), 0) for what in ("found", "wrong", "missed"))
    return (found / (found + wrong) if found + wrong else None, found / (found + missed) if found + missed else None)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def extraction_table() -> str:
    """Rows of precision and recall for each part of the cases."""
    plain = [c for c in cases() if not c.get("debatable")]
    parts = {
        "odd ids (rules written from these)": tally(c for c in plain if int(c["id"][1:]) % 2),
        "even ids, now": tally(c for c in plain if not int(c["id"][1:]) % 2),
        "all, now": tally(plain),
        "debatable ones, now": tally(c for c in cases() if c.get("debatable")),
        "even ids, first look": Counter(
            {(k, w): n for k, v in BLIND.items() for w, n in zip(("found", "wrong", "missed"), v, strict=True)}
        ),
    }
    lines = ["| cases | kind | found | wrongly | missed | precision | recall |", "|---|---|---:|---:|---:|---:|---:|"]
    for part, counts in parts.items():
        for kind in ("all", *SHOWN):
            n = [counts[kind, w] for w in ("found", "wrong", "missed")]
            if any(n):
                p, r = precision_recall(counts, kind)
                lines.append(f"| {part} | {kind} | {n[0]} | {n[1]} | {n[2]} | {_shown(p)} | {_shown(r)} |")
    return "\n".join(lines)


def coverage_table() -> str:
    """Verified + listed rows by country and class."""
    lines = ["| | " + " | ".join(CLASSES) + " |", "|---|" + "---:|" * len(CLASSES)]
    for country, row in coverage().items():
        cells = (f"{c.verified} + {c.listed}" if c.verified or c.listed else "" for c in row.values())
        lines.append(f"| {country} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gaps() -> str:
    """Cells without a verified row among the six countries that the embedded prompts speak of."""
    lines = []
    for country in ("US", "GB", "CA", "IE", "AU", "NZ"):
        row = coverage()[country]
        without = [c for c in CLASSES if c != "professional" and not row[c].verified]
        lines.append(f"- {country}: " + (", ".join(f"{c} ({row[c].listed} listed)" for c in without) or "none"))
    return "\n".join(lines)


def evidence() -> str:
    """Verified rows with date and grade, one line each."""
    rows = [h for h in registry() if h.status == "verified"]
    return "\n".join(f"- {h.country} {h.name}: {', '.join(h.numbers)} ({h.grade}, {h.as_of})" for h in rows)


def page() -> str:
    """The whole page."""
    status = Counter(h.status for h in registry())
    grades = Counter(h.grade for h in registry() if h.grade)
    return f"""# Helplines: what is known, and on what evidence

Registry version {HELPLINES_VERSION}, sha256 `{registry().sha256[:16]}`, {len(registry())} rows:
{status["verified"]} verified ({grades["A"]} of grade A, {grades["B"]} of grade B), {status["listed"]} listed,
{status["stale"]} stale. Made by `scripts/helplines.py` from `rubrics/helplines.csv`.

**Wrong numbers cost lives.** In 2019 two people in the Netherlands died after calling a number that was then not the
helpline's. Every row rests on stored copies of pages. They do not show that a line answers today: before a release a
person must open each operator's live site and correct the row and its date.

## What the words mean

- `verified`: a page of the operator or of a government shows the number itself. States, councils, health services, a
  government's code repository and its press release on a newswire count. Newspapers, other charities, proxies,
  private lists and an operator's release on somebody else's site do not.
- Grade A is the operator's own page, or a national or state government's; B is a council, a health service, a code
  repository, a newswire, an archived copy, a sheet of one government about all EU countries, or a number shown in letters.
- `listed`: only others show it. It may be right. `stale`: replaced; to be recognised, never to be given.
- `as_of`: the date of the evidence, or 2026-11-25, the day it was looked up, where the page shows none.
- In the evidence column, `RR`, `AL`, `VC`, `HS` and `PS` are public third-party lists and prompts; `TSV` and
  `benchmarks.md` are the project's first notes, which are not part of it.

## Coverage

Verified + listed rows by country and class; a row with two classes counts in both. `professional` is a kind of help
without lines of its own, so values for it are not estimable.

{coverage_table()}

Without a verified row:

{gaps()}

## How well contacts are found

225 hand-labelled texts by somebody who had not seen the rules; per case by kind and value. Extraction version
{RESOURCES_VERSION}. The first look is the honest figure: the rules had been written from the odd cases alone, and
what was changed since was not taken from the even ones.

{extraction_table()}

Names of services are found by the registry's names and aliases and are not part of these cases. Hours, prices and
spoken or texted availability of a line are not checked. A number that the registry does not hold is `unknown`, never
invented; one that no numbering plan holds is `impossible`.

## Not evidenced

No operator's or government's page with the number was found for: the US perpetrator line; national substance lines of
IE and AU; the NZ suicide crisis line; the rape and sexual abuse line of England and Wales; Crisis Text Line and The
Trevor Project; most lines of DE, DK, IT, FR, ES, NL, SE and IN. CA has no perpetrator and no csa_prevention row, IE no
perpetrator row, NZ no csa_prevention row: not found, or not searched for. Four rows were held back although a first
reading called them verified: MensLine Australia (a release on a newswire, operator not shown), 113 of the Netherlands
(page not seen again), the text numbers of PAPYRUS and of the NZ Alcohol Drug Helpline (publishing site; a page
supported, not run, by a health authority).

## Add a row

1. Open the operator's or a government's page and read the number there. Never write one from memory.
2. Add a line to `rubrics/helplines.csv`: country (ISO code, `EU`, `INT`), name (what it is for in parentheses), aliases
   joined by `;`, class, audience (region behind a slash), phone, short_code and text (several split by ` / `; text as
   `KEYWORD to NUMBER`), url without https://, evidence, grade, status, as_of.
3. Raise `HELPLINES_VERSION`: runs checked against different registries are not comparable.
4. Run this script and the tests; a broken row fails with one line that names it.

A replaced number stays as a `stale` row, so that it is recognised.

## Verified rows

{evidence()}
"""


def main() -> None:
    """Write the page."""
    OUT.write_text(page(), encoding="utf-8")
    p, r = precision_recall(tally(c for c in cases() if not c.get("debatable")), "all")
    print(f"{OUT.name}: {len(registry())} rows; extraction precision {_shown(p)}, recall {_shown(r)}")


if __name__ == "__main__":
    main()
