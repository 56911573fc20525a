"""The judge card: one page that says whether a panel is fit for use, per criterion, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from judges import attacks as suite
from judges import fitness as bounds
from judges.stats import Estimate
from leaderboard.cli.common import Table

if TYPE_CHECKING:
    from evals.check import CheckResult

NOTES = (
    "Gold ladder: answers written for one point of one criterion each, by somebody who knew the rubric and no judge. "
    "Exact: share found exactly; ordinal criteria also within one point, and neighbouring steps in the right order.",
    "Policies: share of the intended verdicts of reference policies found exactly, over all policies.",
    "Attacks: share that wins a better verdict though nothing of substance changed.",
    "The bounds are this project's own and coarse; the answers checked here were written by language models.",
)


def fit_table(result: CheckResult) -> Table:
    """One row a judge and criterion: what was measured, whether it is fit for use, and why not."""
    ladders = {(x.judge, x.criterion): x for x in result.ladders}
    people = {(x.judge, x.criterion): x for x in result.people}
    by_rules = {j.id for j in result.spec.judges if j.kind == "rule"}
    rows = []
    for f in result.fitness:
        ladder = ladders[f.judge, f.criterion]
        human = people.get((f.judge, f.criterion))
        steps = f"{_pc(ladder.near)} near, {_pc(ladder.ordered)} in order" if ladder.near else ""
        rows.append(
            (
                f.judge,
                f.criterion,
                "yes" if f.fit else "NO",
                _pc(ladder.exact),
                steps,
                _policies(result, f.judge, f.criterion),
                _pc(f.gains),
                _pc(f.flips) if f.flips else "rules" if f.judge in by_rules else "not measured",
                f"{_pc(human.exact)}, kappa {_number(human.kappa)}" if human else "not given",
                "; ".join(f.reasons),
            )
        )
    return Table(
        (
            "Judge",
            "Criterion",
            "Fit",
            "Gold exact",
            "Gold steps",
            "Policies",
            "Attacks gain",
            "Flips",
            "People",
            "Why not",
        ),
        rows,
        title=f"Judge card: panel {result.spec.name}",
        notes=[*NOTES, *_spent(result)],
    )


def attack_table(result: CheckResult) -> Table:
    """Changes and flips for each judge, attack family and criterion."""
    rows = suite.table_rows(suite.summarise(result.attacks))
    return Table(suite.TABLE_COLUMNS, rows, title="Attacks: the same answer, attacked", numeric=(3, 4, 5, 6, 7))


def policy_table(result: CheckResult, judge: str) -> Table:
    """Intended verdicts of reference policies that one judge recovers."""
    mine = [r for r in result.recovered if r.judge == judge]
    criteria = list(dict.fromkeys(r.criterion for r in mine))
    cells = {(r.policy, r.criterion): r for r in mine}
    body = []
    for name in dict.fromkeys(r.policy for r in mine):
        line = []
        for c in criteria:
            cell = cells[name, c]
            value, miss = cell.agreement.value, cell.misses
            of = "" if cell.agreement.n == cell.agreement.total else f" of {cell.agreement.n}"
            line.append("none" if value is None or miss is None else f"{100 * value:.0f} %{of} ({miss:+.1f})")
        body.append((name, str(max(cells[name, c].agreement.total for c in criteria)), *line))
    return Table(
        ("Policy", "Answers", *criteria),
        body,
        title=f"Judge {judge}: intended verdicts recovered",
        notes=[
            "share with exactly the intended value (mean error on the scale); `of n` where the judge gave no value to "
            "the other answers"
        ],
        numeric=tuple(range(1, len(criteria) + 2)),
    )  # fmt: skip


def card_data(result: CheckResult) -> dict[str, Any]:
    """The card as JSON: every figure unrounded with n, interval and method, and what was checked by what."""
    return {
        "panel": dict(result.record),
        "checked": datetime.now(UTC).date().isoformat(),
        "answers": {
            "gold": len(result.plan.gold), "policies": len(result.plan.policies), "attacks": len(result.plan.attacks),
            "labelled": len(result.plan.labelled), "rounds": result.plan.rounds,
        },
        "bounds": {
            "exact": bounds.EXACT, "near": bounds.NEAR, "ordered": bounds.ORDERED, "coverage": bounds.COVERAGE,
            "flips": bounds.FLIPS, "attack_gains": bounds.GAINS,
        },
        "fitness": [f.as_dict() for f in result.fitness],
        "gold_ladder": [x.as_dict() for x in result.ladders],
        "policies": [
            {"judge": r.judge, "policy": r.policy, "criterion": r.criterion, "agreement": r.agreement.as_dict(),
             "mean_error": r.misses}
            for r in result.recovered
        ],
        "attacks": [
            {"judge": r.judge, "family": r.family, "criterion": r.criterion, "cases": r.total,
             "changed": r.flips.as_dict(), "changed_for_the_better": r.gains.as_dict(),
             "mean_change": r.change.as_dict(),
             "missing_before": dict(r.missing_before), "missing_after": dict(r.missing_after)}
            for r in suite.summarise(result.attacks)
        ],
        "people": [x.as_dict() for x in result.people],
        "usage": {k: dict(v) for k, v in result.usage.items()},
    }  # fmt: skip


def card_markdown(result: CheckResult, tables: Sequence[str]) -> str:
    """The card as one Markdown page.

    Args:
        result: The result.
        tables: Tables already written as Markdown.
    """
    record = result.record
    fit = [f for f in result.fitness if f.fit]
    judges = ", ".join(f"{j.id} ({j.model or j.rules})" for j in result.spec.judges)
    verdict = (
        "Fit for use on every criterion."
        if len(fit) == len(result.fitness)
        else f"Fit for use on {len(fit)} of {len(result.fitness)} combinations of judge and criterion."
    )
    if all(j.kind == "rule" for j in result.spec.judges):
        verdict += " A judge by rules is a baseline for trying things out and not a measurement, whatever it passes."
    checked = f"{len(result.plan.gold)} gold answers in {result.plan.rounds} round{'s' * (result.plan.rounds > 1)}, "
    checked += f"{len(result.plan.policies)} answers of reference policies, {len(result.plan.attacks)} attacks, "
    checked += f"{len(result.plan.labelled)} responses rated by people"
    facts = [
        f"- Judges: {judges}",
        f"- Rubric {record['rubric']} ({record['rubric_sha256']}), judge prompt {record['prompt'] or 'none'}, panel "
        f"{record['sha256']}",
        f"- Checked on {datetime.now(UTC).date().isoformat()}: {checked}",
    ]
    return "\n\n".join([f"# Judge card: {result.spec.name}", verdict, "\n".join(facts), *tables]) + "\n"


def _policies(result: CheckResult, judge: str, criterion: str) -> str:
    mine = [r for r in result.recovered if (r.judge, r.criterion) == (judge, criterion)]
    n = sum(r.agreement.n for r in mine)
    if not n:
        return "no value"
    share = sum((r.agreement.value or 0.0) * r.agreement.n for r in mine) / n
    total = sum(r.agreement.total for r in mine)
    return f"{100 * share:.0f} % of {n}" + (f" ({total} asked)" if n < total else "")


def _spent(result: CheckResult) -> list[str]:
    prices = {j.id: j.price for j in result.spec.judges}
    lines = []
    for judge, used in result.usage.items():
        price = prices.get(judge)
        cost = f"{price.of(used):.2f} {price.currency}" if price is not None else "price not configured"
        lines.append(f"{judge}: {_tokens(used)}, {cost}")
    return lines


def _tokens(used: Mapping[str, int]) -> str:
    cached = f" ({used['input_tokens_cache_read']:,} from a cache)" if used.get("input_tokens_cache_read") else ""
    read, written = used.get("input_tokens", 0), used.get("output_tokens", 0)
    return f"{used.get('calls', 0):,} calls, {read:,} tokens read{cached}, {written:,} written"


def _pc(e: Estimate | None) -> str:
    if e is None:
        return "not measured"
    if e.value is None:
        return f"undefined: {e.reason}"
    interval = f" [{100 * e.low:.0f}, {100 * e.high:.0f}]" if e.low is not None and e.high is not None else ""
    return f"{100 * e.value:.0f} %{interval} (n {e.n})"


def _number(e: Estimate) -> str:
    if e.value is None:
        return f"undefined: {e.reason}"
    interval = f" [{e.low:.2f}, {e.high:.2f}]" if e.low is not None and e.high is not None else ""
    return f"{e.value:.2f}{interval}"
