"""What was said on one item, turn by turn, with what everybody made of it.

Prompts, answers, justifications and names are untrusted. They are shown through `st.code`, `st.text` and text cells
only, and texts not before the gate is opened. Nothing is written: texts that are not in the store are asked for.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import streamlit as st

from leaderboard import present
from leaderboard.dialogues import of_dialogues
from leaderboard.samples import contacts, words
from leaderboard.views.moment import Moment
from leaderboard.views.shell import gate, text_table
from results.manifest import ItemFacts, Manifest
from results.store import StoreError
from results.texts import texts_ingested
from results.transcripts import Turn, transcript

TALL = 3_000
"""Characters from which a text scrolls in a box of its own."""
MARKED = (
    "The marks \u3010 \u3011 are not in the answer: they show a contact, its place in the table below and its label."
)
PEOPLE = (
    "People's ratings are here because somebody exported or imported them. Whether another study still has this "
    "response open cannot be known from the store: if you rate in one, leave them hidden."
)


def pane(found: Moment, run: Manifest, item: ItemFacts, epoch: int, ratings: pa.Table) -> None:
    """Draw one response or dialogue.

    Args:
        found: The moment that the page shows.
        run: Its run.
        item: Its item.
        epoch: Its epoch.
        ratings: All ratings of the run.
    """
    rows = words.of_response(ratings, item.id, epoch)
    st.text(_facts(run, item, epoch))
    turns = _turns(found, run, item, epoch)
    numbers = [t.turn for t in turns] if turns else sorted({r["turn"] for r in rows} - {0}) or [0]
    is_open = bool(turns) and gate([item.domain or "", item.category or ""])
    if 0 not in numbers:
        _verdicts(run, rows, 0, "The dialogue as a whole")
    for n in numbers:
        turn = next((t for t in turns if t.turn == n), None)
        if n:
            at_risk = "" if item.risk_turn is None or n < item.risk_turn else ", the risk can be recognised"
            st.subheader(f"Turn {n}{at_risk}", anchor=False)
        if turn is None or not is_open:
            _verdicts(run, rows, n, "Panel and judges")
            continue
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _texts(item, turn, f"{run.run_id}/{item.id}/{epoch}")
        with right:
            _verdicts(run, rows, n, "Panel and judges")
            st.text(words.support_line(run, rows, turn))
        _mentions(run, item, turn)
        _justifications(run, turn, f"{run.run_id}/{item.id}/{epoch}")
    _people(run, rows)
    _links(found, run, item, epoch)


def _facts(run: Manifest, item: ItemFacts, epoch: int) -> str:
    told = [item.id, (item.domain or "domain not stated").replace("_", " "), item.category or ""]
    told.append(f"expected: {(item.answer or 'not stated').replace('_', ' ')}")
    if item.resource:
        told.append(f"source of help {item.resource}")
    if run.epochs > 1:
        told.append(f"epoch {epoch} of {run.epochs}")
    return " · ".join(present.plain(t, 80) for t in told if t)


def _turns(found: Moment, run: Manifest, item: ItemFacts, epoch: int) -> tuple[Turn, ...]:
    """What was said; nothing, and said why, where the texts are not in the store."""
    if run.source.eval_id is None:
        st.info("This run was imported without texts: there are its ratings, and nothing to read.")
        return ()
    if not texts_ingested(found.store, run):
        st.info("The texts of this run are not ingested yet. This command brings them in; then reload the page.")
        log, store = (shlex.quote(str(p)) for p in (run.source.location or "LOG", found.store.root))
        st.code(f"psychosafe ingest --texts {log} --store {store}", language=None, wrap_lines=True)
        return ()
    try:
        return transcript(found.store, run.run_id, item.id, epoch)
    except StoreError as ex:
        st.warning("The texts of this response cannot be shown.")
        st.code(present.plain(str(ex), 400), language=None, wrap_lines=True)
        return ()


def _text(label: str, text: str, key: str, marked: str = "") -> None:
    st.text(label)
    if not text:
        st.text("(empty)")
        return
    whole = len(text) > words.LIMIT and st.toggle(f"Show all {len(text):,} characters", key=f"whole/{key}/{label}")
    told = replace(words.shown(marked or text, bool(whole)), length=len(text))
    st.code(told.text, language=None, wrap_lines=True, height=420 if len(told.text) > TALL else "content")
    if note := words.shown_note(told):
        st.text(note)


def _texts(item: ItemFacts, turn: Turn, key: str) -> None:
    _text("Prompt" if not turn.turn else "The person", turn.prompt, f"{key}/{turn.turn}")
    state = f" ({turn.state.replace('_', ' ')})" if turn.state not in ("", "complete") else ""
    found = contacts.labelled(turn.response, contacts.known_of(item).need)
    marked = contacts.marked(turn.response, found) if found else ""
    _text("Answer" + state, turn.response, f"{key}/{turn.turn}", marked)
    if marked:
        st.text(MARKED)


def _verdicts(run: Manifest, rows: Sequence[Mapping[str, Any]], turn: int, label: str) -> None:
    table = words.verdict_rows(run, rows, turn)
    if not table:
        return
    st.text(label)
    what = f"What panel and judges said{f' of turn {turn}' if turn else ''}, a row each criterion and score."
    text_table(table, f"verdicts-{turn}", what)


def _justifications(run: Manifest, turn: Turn, key: str) -> None:
    given = words.justified(run, turn)
    for at in range(0, len(given), 3):
        for n, column in enumerate(st.columns(min(len(given), 3)), at):
            if n < len(given):
                with column:
                    _text(f"Justifications of {given[n][0]}", given[n][1], f"{key}/{turn.turn}/{n}")


def _mentions(run: Manifest, item: ItemFacts, turn: Turn) -> None:
    known = contacts.known_of(item)
    found = contacts.mention_rows(contacts.labelled(turn.response, known.need))
    if not found:
        st.text("The answer names no contact.")
        return
    st.text("Contacts that the answer names")
    text_table(found, f"mentions-{turn.turn}", "Contacts in the answer with the checker's label and why.")
    if note := contacts.caveat(run, known):
        st.text(note)


def _people(run: Manifest, rows: Sequence[Mapping[str, Any]]) -> None:
    turns = sorted({r["turn"] for r in rows if r["rater_kind"] == "human"})
    if not turns:
        return
    st.subheader("People", anchor=False)
    st.text(PEOPLE)
    if not st.toggle("Show people's ratings", key="people"):
        return
    for n in turns:
        if n:
            st.text(f"Turn {n}")
        text_table(words.people_rows(run, rows, n), f"people-{n}", "What people said of this response.")


def _links(found: Moment, run: Manifest, item: ItemFacts, epoch: int) -> None:
    st.text("Link to this response: the board's address, and behind it")
    address = urlencode({"run": run.run_id, "item": item.id, "epoch": epoch})
    page = "dialogues" if of_dialogues(run) else "samples"
    st.code(f"/{page}?{address}", language=None, wrap_lines=True)
    command = words.log_command(run, item.id, epoch)
    if command:
        st.text("In the log, with Inspect's viewer:")
        st.code(command, language=None, wrap_lines=True)
    else:
        st.text("The run comes from no log, so that Inspect's viewer cannot show it.")
