"""Fixed texts of the page on judges, and its tables of repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leaderboard import present
from results.repeated import Flips

AGREE: Final = (
    "Alpha is 1 where two judges always agree and 0 where they agree as often as by chance. Where nearly all values "
    "are the same, chance agreement is high and alpha and kappa are low although the judges rarely differ: AC1 and AC2 "
    "take this into account. Agreement says nothing of being right: judges can share an error."
)
SEVERITY: Final = "On the answers that all judges rated, a judge's values minus the mean of the others', item by item."
LEFT: Final = "Would the order of the runs on this criterion be another if one judge had not sat on the panel?"
FAMILY: Final = (
    "How far a judge lies above judges of other families on answers of its own family, less the same on other answers "
    "to the same items. It takes runs of at least two families. A model that really is better where its family's judge "
    "looks more closely shows the same, so this is a warning sign and no proof."
)
CARD: Final = (
    "Agreement cannot say whether judges are right. A check where the right verdict is known can: answers written for "
    "one point of one criterion each, reference policies, and attacks that change nothing of substance. The command "
    "writes a judge card of one page; cards are files of their own and do not stand in the store."
)
NO_RUNS: Final = "No run here has items with verdicts: there are figures of whole benchmarks or runs on twins alone."
SEVERITY_NOTE: Final = "95 % intervals over items, each by itself, not corrected for the number of judges."
NO_ORDER: Final = "An order takes two runs of one kind in this group: models, imported runs or reference policies."
NO_PEOPLE: Final = "No person has rated answers of this group. Plan blind ratings, or bring ratings in:"
RATE: Final = """psychosafe annotate plan LOG... --annotators ANNA,BEN --n 50
psychosafe import psychosafe-humans FILE
psychosafe agreement"""
FULL_REPORT: Final = (
    "Effects of the conditions by rater, corrected scores and labels still needed are in the full report:"
)
FLIPS: Final = "How often a judge gives another verdict when it is asked about the same answer again."
FLIPS_NOTE: Final = (
    "Chance that two verdicts on one answer differ, with a 95 % interval over items; distance in points of the scale."
)
NO_REPEATS: Final = (
    "No answer of this group was judged more than once. Rules always repeat themselves; of models, repeats tell how "
    "much of a difference is noise of the judge."
)
REPEAT: Final = """inspect eval evals/psychosafe.py -T repeats=3
psychosafe rejudge LOG... --judges PANEL --repeats 3"""


def flip_rows(found: Sequence[Flips]) -> list[dict[str, str]]:
    """Each judge's repeats of the same answers."""
    return [
        {
            "Judge": present.plain(f.judge, 44),
            "Flips": present.percent(f.flips, 1),
            "Mean distance": present.number(f.distance),
            "Items": present.coverage(f.flips),
            "Rounds": str(f.rounds),
            "Runs": str(f.runs),
        }
        for f in found
    ]


def report_command(runs: Sequence[str], criterion: str) -> str:
    """The command that writes the whole report on judges and people of some runs, on one criterion."""
    named = " ".join(f"--runs {r}" for r in runs)
    return f"psychosafe agreement {named} --criteria {criterion!r} --format html"
