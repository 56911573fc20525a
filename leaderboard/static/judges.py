"""The judges' page of the file: agreement, severity, the order without each judge, people, flips and families."""

from __future__ import annotations

from functools import partial
from typing import Final

from leaderboard import judging, judging_figures, present
from leaderboard import judging_texts as texts
from leaderboard.judging import Judging
from leaderboard.judging_people import people_report, people_shown
from leaderboard.model import Board
from leaderboard.naming import title_of
from leaderboard.static.pieces import code, more, said
from leaderboard.static.sheet import GROUPS, Sheet
from leaderboard.views.moment import Moment
from results.agreement_records import AgreementReport
from results.grid import Grid
from results.manifest import Manifest
from results.measure import label_of
from results.raters import rated_by_people
from results.repeated import flips
from results.store import StoreError

PEOPLE_RUNS: Final = 50
"""Runs of a group that people have rated and that are reported on together; of more, the first."""


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    if not found.grids:
        return said(texts.NO_RUNS) + code("psychosafe ingest LOG...")
    options = [(title_of(g), partial(_group, sheet, found, g)) for g in found.grids]
    return sheet.choice("Comparable runs", options, GROUPS, "groups of comparable runs")


def _group(sheet: Sheet, found: Moment, grid: Grid) -> str:
    scales = grid.runs[0].rubric.scales
    rated = rated_by_people(found.store, grid.runs)
    options = [(label_of(c, scales[c]), partial(_criterion, sheet, found, grid, rated, c)) for c in grid.cube.criteria]
    made = sheet.choice("Criterion", options, len(options), "criteria")
    return f"{made}<h3>Judge cards</h3>{said(texts.CARD)}{code(judging.card_command(grid))}"


def _criterion(sheet: Sheet, found: Moment, grid: Grid, rated: list[Manifest], criterion: str) -> str:
    seen = judging.judging(grid, criterion)
    out = [said(judging.sentence(seen))]
    if len(seen.agreement.judges) < 2:
        line, command = judging.needed(seen)
        out += [said(line), code(command), said("\n".join(judging.pair_notes(seen.agreement, seen.items)))]
    else:
        out += [_agreement(sheet, seen), _severity(sheet, seen), _left(sheet, seen)]
    out += [_with_people(sheet, found, rated, criterion), _repeats(sheet, found, grid, criterion)]
    if len(seen.agreement.judges) > 1:
        rows = sheet.rows(judging.family_rows(seen.families), "Each judge on its own family's answers")
        out.append(f"<h3>Judges and their own family</h3>{said(texts.FAMILY)}")
        out.append(said(judging.family_line(seen.families)) + rows)
    return "".join(out)


def _agreement(sheet: Sheet, seen: Judging) -> str:
    a = seen.agreement
    many = len(a.judges)
    drawn = sheet.figure(
        lambda dark: judging_figures.agreement_figure(a, dark),
        judging_figures.agreement_alt(a),
        across=100 + 80 * many,
        most=max(160 + 110 * many, 420),
    )
    return (
        f"<h3>Agreement of every two judges</h3>{drawn}{said(judging_figures.agreement_note(a))}"
        + sheet.rows(judging.pair_rows(a), "Every two judges, a row each, with coefficients of agreement")
        + said(texts.AGREE)
        + said("\n".join(judging.pair_notes(a, seen.items)))
        + more("How these 95 % intervals were made", said(judging.methods(a) or "There is none here."))
    )


def _severity(sheet: Sheet, seen: Judging) -> str:
    drawn = sheet.figure(lambda dark: judging_figures.severity_figure(seen, dark), judging_figures.severity_alt(seen))
    rows = sheet.rows(judging.severity_rows(seen), "Each judge's mean and its distance from the others")
    return f"<h3>Who gives higher values</h3>{said(texts.SEVERITY)}{drawn}{rows}{said(texts.SEVERITY_NOTE, 'soft')}"


def _left(sheet: Sheet, seen: Judging) -> str:
    head = f"<h3>The order without each judge</h3>{said(texts.LEFT)}"
    left = seen.left
    if left is None:
        return head + said(texts.NO_ORDER)
    drawn = sheet.figure(lambda dark: judging_figures.ranks_figure(left, dark), judging_figures.ranks_alt(left))
    rows = sheet.rows(judging.left_rows(left), "Rank of each run by all judges and without each judge")
    return head + drawn + rows + said("\n".join(judging.left_notes(left)))


def _with_people(sheet: Sheet, found: Moment, rated: list[Manifest], criterion: str) -> str:
    head = "<h3>Judges and people</h3>"
    if not rated:
        return head + said(texts.NO_PEOPLE) + code(texts.RATE)
    cut = f"The first {PEOPLE_RUNS} of {len(rated)} runs that people have rated." if len(rated) > PEOPLE_RUNS else ""
    try:
        report = people_report(found.store, rated[:PEOPLE_RUNS], criterion)
    except StoreError as ex:
        report = present.plain(str(ex), 300, ends=False)
    if isinstance(report, str):
        return head + said("On this criterion judges cannot be held against people:") + said(report)
    out = [head, said(cut, "cut"), _people(sheet, report)]
    out += [said(texts.FULL_REPORT), code(texts.report_command([m.run_id for m in rated], criterion))]
    return "".join(out)


def _people(sheet: Sheet, report: AgreementReport) -> str:
    light, dark = people_shown(report), people_shown(report, dark=True)
    out = [said(present.plain(line, 400, ends=False)) for line in light.lines]
    for day, night in zip(light.figures, dark.figures, strict=True):
        sides = {False: day.figure, True: night.figure}
        out.append(sheet.figure(sides.__getitem__, day.alt, day.width) + said(day.note, "soft"))
    for t in light.tables:
        label = "Each person with each judge, by run and over all of them"
        out.append(sheet.table(t.columns, t.rows, label) + said("\n".join(t.notes), "soft"))
    return "".join(out)


def _repeats(sheet: Sheet, found: Moment, grid: Grid, criterion: str) -> str:
    head = f"<h3>Flips</h3>{said(texts.FLIPS)}"
    seen = flips(found.store, grid, criterion)
    if not seen:
        return head + said(texts.NO_REPEATS) + code(texts.REPEAT)
    rows = sheet.rows(texts.flip_rows(seen), "How often each judge gives another verdict on the same answer")
    return head + rows + said(texts.FLIPS_NOTE, "soft")
