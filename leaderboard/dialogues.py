"""Dialogues turn by turn: what each turn and each dialogue came to, as cells and a sentence.

Names stay untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from judges.dialogue import OUTCOMES, Outcome, Timed, TurnFacts, outcome
from judges.stats import Estimate
from leaderboard import present
from leaderboard.agreement.drawing import count
from leaderboard.charts import STYLES, Style
from results.dialogues import Timing, timing, turn_facts
from results.manifest import ItemFacts, Manifest
from results.store import Store

GREY, BLUE, RED = STYLES["baseline"], STYLES["prompted"], STYLES["other"]
NO_RUNS: Final = "No dialogues are in the store yet. These commands play some and bring them in; then reload the page."
COMMANDS: Final = """inspect eval evals/escalation.py --model openai/gpt-5-mini -T condition=prompted
psychosafe ingest logs"""
NOTHING_TO_TIME: Final = (
    "These dialogues have no turn at which a risk can be recognised, so that there is nothing to time."
)
ALL: Final = "all"
SHOWN: Final = (ALL, "harm provided", "not acknowledged at once", "alarm on harmless turns", "left without support",
                "something missing", "controls")  # fmt: skip


@dataclass(frozen=True)
class State:
    """What a turn came to.

    Attributes:
        sign: Its sign in a table.
        name: How people read it.
        style: How it is drawn.
    """

    sign: str
    name: str
    style: Style


def _state(sign: str, name: str, like: Style, symbol: str) -> State:
    return State(sign, name, Style(name, like.light, like.dark, symbol))


STATES: Final[Mapping[str, State]] = {
    "calm": _state("○", "ordinary answer to a harmless turn", GREY, "circle-open"),
    "alarm": _state("△", "alarm on a harmless turn", RED, "triangle-up-open"),
    "acknowledged": _state("●", "risk acknowledged", BLUE, "circle"),
    "missed": _state("◇", "risk not acknowledged", GREY, "diamond-open"),
    "harm": _state("✖", "harm provided", RED, "x"),
    "abandoned": _state("■", "end without support", GREY, "square"),
    "unjudged": _state("–", "no text to judge", GREY, "line-ew-open"),
    "unknown": _state("?", "verdict missing", GREY, "asterisk-open"),
    "unanswered": _state("·", "never answered", GREY, "circle-dot-open"),
}
"""In the order of the legend. Of what fits a turn harm comes first, and the end without support second."""


@dataclass(frozen=True)
class Played:
    """One dialogue as it was played.

    Attributes:
        item: The dialogue.
        epoch: Its epoch.
        states: What each turn came to, keys of `STATES`.
        outcome: What became of the whole.
    """

    item: ItemFacts
    epoch: int
    states: tuple[str, ...]
    outcome: Outcome

    def among(self, what: str) -> bool:
        """Whether it belongs to one of `SHOWN`."""
        values = self.outcome.values
        missing = any(values[o] is None and o not in self.outcome.undefined for o in OUTCOMES)
        return {
            "harm provided": values["harmed"] == 1,
            "not acknowledged at once": values["acknowledged_at_once"] == 0,
            "alarm on harmless turns": bool(values["early_alarms"]),
            "left without support": values["abandoned"] == 1,
            "something missing": missing,
            "controls": self.item.risk_turn is None,
        }.get(what, True)


def of_dialogues(run: Manifest) -> bool:
    """Whether a run is of dialogues."""
    return any(name in OUTCOMES for name in run.rubric.scores)


def turn_state(facts: TurnFacts | None, before_risk: bool, ends_alone: bool) -> str:
    """What one turn came to, a key of `STATES`.

    Args:
        facts: What is known of it; None if it was never answered.
        before_risk: It comes before the turn at which the risk can be recognised, or there is none.
        ends_alone: It is the last one, and the dialogue's outcome is `abandoned`.
    """
    if facts is None:
        return "unanswered"
    if before_risk:
        if not facts.judged:
            return "unjudged"
        return {True: "alarm", False: "calm", None: "unknown"}[facts.alarmed]
    if facts.judged and facts.harm:
        return "harm"
    if ends_alone:
        return "abandoned"
    if not facts.judged:
        return "unjudged"
    if facts.acknowledges:
        return "acknowledged"
    return "unknown" if facts.acknowledges is None or facts.harm is None else "missed"


def played(store: Store, run: Manifest) -> tuple[Played, ...]:
    """The dialogues of a run, by item and epoch; those without any turn are left out."""
    items = {i.id: i for i in run.items}
    found = []
    for (item, epoch), facts in sorted(turn_facts(store, run).items()):
        if item not in items:
            continue
        at = items[item].risk_turn
        came = outcome(facts, at)
        last = len(facts) - 1
        states = (
            turn_state(f, at is None or n < at - 1, n == last and came.values["abandoned"] == 1)
            for n, f in enumerate(facts)
        )
        found.append(Played(items[item], epoch, tuple(states), came))
    return tuple(found)


def timings(store: Store, runs: Sequence[Manifest], labels: Mapping[str, str]) -> tuple[tuple[str, Timing], ...]:
    """When things happened in each run that has a risk to be recognised, by its name.

    Args:
        store: The store.
        runs: Comparable runs.
        labels: By run id, names that no two runs of the store share.
    """
    own = [m.label for m in runs]
    made = ((m, timing(store, m)) for m in runs)
    # Runs of one system on other prompts are told apart by their ids; here they need not be.
    return tuple((m.label if own.count(m.label) == 1 else labels[m.run_id], t) for m, t in made if t is not None)


def table_rows(rows: Sequence[Played], epochs: bool) -> list[dict[str, str]]:
    """The dialogues as text cells by column name."""
    return [
        {
            "Dialogue": present.plain(p.item.id, 60),
            **({"Epoch": str(p.epoch)} if epochs else {}),
            "Domain": present.plain((p.item.domain or "").replace("_", " "), 40),
            "Risk at turn": "control" if p.item.risk_turn is None else str(p.item.risk_turn),
            "Turns": " ".join(STATES[s].sign for s in p.states),
            "Acknowledged": _when(p, p.outcome.acknowledged),
            "Harm": _when(p, p.outcome.harmful),
            "Alarms": _share(p, "early_alarms"),
            "Recovered": _yes(p, "recovered"),
            "Left without support": _yes(p, "abandoned"),
        }
        for p in rows
    ]


def sentence(rows: Sequence[tuple[str, Timing]]) -> str:
    """Who acknowledges the risk at its first turn most often, who overlaps, and how often harm is provided."""
    at_once = [(label, t.acknowledged[0]) for label, t in rows if t.acknowledged[0].value is not None]
    if not at_once:
        return "Of no system is it known whether the risk is acknowledged at its first turn."
    unknown = len(rows) - len(at_once)
    best = max(e.value or 0.0 for _, e in at_once)
    top = [(label, e) for label, e in at_once if e.value == best]
    label, e = top[0]
    share = f"{present.percent(e)} of its dialogues ({count(e)})"
    if len(at_once) == 1:
        told = f"{present.plain(label, 60)} acknowledges the risk at its first turn in {share}."
    elif len(top) > 1:
        who = f"All {len(at_once)}" if len(top) == len(at_once) else f"{len(top)} of {len(at_once)}"
        how = "equally often" if len(top) == len(at_once) else "most often"
        told = f"{who} systems acknowledge the risk at its first turn {how}: in {present.value(_percent(e), 0)} %."
    else:
        over = sum(o.high is not None and e.low is not None and o.high >= e.low for x, o in at_once if x != label)
        told = (f"{present.plain(label, 60)} acknowledges the risk at its first turn most often, in {share}; the "
                f"intervals of {over or 'none'} of {len(at_once) - 1} others reach its own.")  # fmt: skip
    if unknown:
        told += f" Of {unknown} of {len(rows)} systems it is not known: no verdict on those turns."
    harm = [(label, x) for label, t in rows if (x := known_last(t.harmed)) is not None]
    if not harm:
        return f"{told} Of no system is it known how often harm is provided within two turns of it."
    low, high = (pick(harm, key=lambda h: h[1].value or 0.0) for pick in (min, max))
    if low[1].value == high[1].value:
        return f"{told} Harm is provided within two turns of it in {present.percent(low[1])} ({count(low[1])})."
    ends = (f"{present.percent(x)} ({present.plain(name, 60)}, {count(x)})" for name, x in (low, high))
    return f"{told} Harm within two turns of it goes from {' to '.join(ends)}."


def legend() -> str:
    """The signs of the table in words."""
    return "   ".join(f"{s.sign} {s.name}" for s in STATES.values())


def _percent(e: Estimate) -> Estimate:
    return Estimate(None if e.value is None else 100 * e.value, None, None, e.n, e.total)


def known_last(by_lag: Mapping[int, Estimate]) -> Estimate | None:
    """The estimate at the last lag, if it has a value."""
    e = by_lag[max(by_lag)]
    return e if e.value is not None else None


def _when(p: Played, event: Timed | None) -> str:
    if p.item.risk_turn is None:
        return "control"
    if event is None:
        return "not known"
    if not event.seen:
        return f"not by turn {p.item.risk_turn + event.lag}"
    return "at the risk turn" if event.lag == 0 else f"{event.lag} turn{'s' * (event.lag != 1)} later"


def _yes(p: Played, name: str) -> str:
    if name in p.outcome.undefined:
        return "undefined"
    value = p.outcome.values[name]
    return "missing" if value is None else ("yes" if value else "no")


def _share(p: Played, name: str) -> str:
    value = p.outcome.values[name]
    return _yes(p, name) if value is None else f"{100 * value:.0f} %"
