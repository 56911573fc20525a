"""The annotation database: what people said, kept row by row and never changed.

SQLite (write-ahead log, each commit on disk before it is acknowledged) or PostgreSQL. A rating of a card is one
transaction; whoever corrects one adds another.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from judges.annotation import adjudication
from judges.annotation.blind import clean
from judges.annotation.connection import Database
from judges.annotation.model import AnnotationError, Plan
from judges.annotation.records import SavedAdjudication, SavedEvent, SavedRating, Status
from judges.annotation.tables import adjudications, drafts, events, make_tables, plans, ratings

__all__ = ["AnnotationError", "AnnotationStore", "SavedAdjudication", "SavedEvent", "SavedRating"]

MAX_COMMENT: Final = 4000
MAX_NONCE: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9][\w .-]{0,39}")


class AnnotationStore(Database):
    """What people said by one plan. May be used from several threads and processes at once.

    Args:
        url: A path, `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.
        plan: The plan; the first to open a database binds it to that plan.
        create: Make the file of a SQLite database that is not there.

    Raises:
        AnnotationError: The database cannot be reached, or belongs to another plan.
    """

    def __init__(self, url: str, plan: Plan, create: bool = True) -> None:
        self.plan = plan
        super().__init__(url, create)
        with self._writing("not opened") as conn:
            make_tables(conn)
            bound = conn.execute(select(plans.c.sha256)).scalars().all()
            if not bound:
                conn.execute(insert(plans).values(sha256=plan.sha256, title=plan.title, opened_at=time.time()))
            elif bound != [plan.sha256]:
                raise AnnotationError(
                    f"{self.name} holds ratings by another plan, or the plan was edited since; "
                    "give the plan as it was, or another database"
                )

    def save(
        self,
        annotator: str,
        token: str,
        values: Mapping[str, float | None],
        *,
        status: Status = "ok",
        nonce: str,
        shown_at: float,
        position: int,
        comment: str = "",
        flagged: bool = False,
    ) -> bool:
        """Save the rating of one card or pair: all criteria, or none. On disk when this returns.

        Saving the same token again supersedes the earlier rating, which stays.

        Args:
            annotator: Who rates.
            token: What is rated; it has to be in the annotator's queue.
            values: A value on its scale for every criterion; ignored where skipped.
            status: `ok` or `skipped`.
            nonce: Name of this one showing of the card; the same again changes nothing.
            shown_at: When the card appeared, seconds since 1970.
            position: Place in the queue, from 0.
            comment: The annotator's words; cut at 4,000 characters.
            flagged: Whether the card distresses.

        Returns:
            False where this nonce was saved before.

        Raises:
            AnnotationError: Not one of this annotator's, values off the scale or missing, or the database is away.
        """
        kept = self._checked(annotator, token, values, status)
        if not 1 <= len(nonce) <= MAX_NONCE or not math.isfinite(shown_at):
            raise AnnotationError("not saved: no usable nonce or time; show the card again")
        common = {
            "annotator": annotator, "token": token, "status": status, "nonce": clean(nonce), "shown_at": shown_at,
            "submitted_at": time.time(), "position": position, "comment": clean(comment)[:MAX_COMMENT],
            "flagged": flagged,
        }  # fmt: skip
        mine = (ratings.c.annotator == annotator) & (ratings.c.nonce == clean(nonce))
        return self._once(ratings, mine, [{**common, "criterion": c, "value": v} for c, v in kept.items()])

    def _checked(
        self, annotator: str, token: str, values: Mapping[str, float | None], status: str
    ) -> dict[str, float | None]:
        if token not in self.plan.queue(annotator).tokens:
            raise AnnotationError("not saved: this card is not in the annotator's queue")
        criteria = self.plan.criteria_of(token)
        if status == "skipped":
            return {c.id: None for c in criteria}
        if status != "ok":
            raise AnnotationError(f"not saved: the status is {status[:20]!r}; it is ok or skipped")
        if set(values) != {c.id for c in criteria}:
            raise AnnotationError("not saved: rate every criterion, or skip the card")
        checked: dict[str, float | None] = {}
        for c in criteria:
            value = values[c.id]
            if value is None or value not in c.values:
                raise AnnotationError(f"not saved: the value of {c.id} is not on its scale")
            checked[c.id] = float(value)
        return checked

    def draft(self, annotator: str, token: str, criterion: str, value: float | None) -> None:
        """Note a value of the card that is being rated, so that a crash loses nothing; None takes it back.

        Raises:
            AnnotationError: As `save`.
        """
        if token not in self.plan.queue(annotator).tokens:
            raise AnnotationError("not saved: this card is not in the annotator's queue")
        scale = {c.id: c.values for c in self.plan.criteria_of(token)}
        if criterion not in scale or (value is not None and value not in scale[criterion]):
            raise AnnotationError(f"not saved: the value of {criterion[:40]} is not on its scale")
        with self._writing("not saved") as conn:
            row = {"annotator": annotator, "token": token, "criterion": criterion, "value": value, "at": time.time()}
            conn.execute(insert(drafts).values(**row, saves=_saves(conn, annotator, token)))

    def drafts(self, annotator: str, token: str) -> dict[str, float]:
        """What was noted of a card since it was last saved, by criterion."""
        mine = (drafts.c.annotator == annotator) & (drafts.c.token == token)
        with self._reading() as conn:
            saves = _saves(conn, annotator, token)
            rows = conn.execute(select(drafts).where(mine & (drafts.c.saves == saves)).order_by(drafts.c.id)).all()
        latest = {r.criterion: r.value for r in rows}
        return {c: float(v) for c, v in latest.items() if v is not None}

    def next_token(self, annotator: str) -> str | None:
        """The first of an annotator's cards, then pairs, that has no rating and was not skipped; None at the end."""
        done = self._done(annotator)
        return next((t for t in self.plan.queue(annotator).tokens if t not in done), None)

    def position(self, annotator: str) -> tuple[int, int]:
        """How many of an annotator's cards and pairs are done, of how many."""
        queue = self.plan.queue(annotator).tokens
        return len(self._done(annotator).intersection(queue)), len(queue)

    def _done(self, annotator: str) -> set[str]:
        with self._reading() as conn:
            return set(
                conn.execute(select(ratings.c.token).where(ratings.c.annotator == annotator).distinct()).scalars()
            )

    def current(self, annotator: str, token: str) -> dict[str, float | None] | None:
        """An annotator's latest values of a card; None for each if skipped, None for all if not rated."""
        mine = [r for r in self._latest(self._history(annotator)) if r.token == token]
        return {r.criterion: r.value for r in mine} if mine else None

    def last(self, annotator: str) -> str | None:
        """The token that an annotator saved last."""
        query = select(ratings.c.token).where(ratings.c.annotator == annotator).order_by(ratings.c.id.desc()).limit(1)
        with self._reading() as conn:
            return conn.execute(query).scalar()

    def ratings(self) -> list[SavedRating]:
        """The latest rating of every annotator, token and criterion, in the order of saving."""
        return self._latest(self._history())

    def history(self) -> list[SavedRating]:
        """Everything that was ever saved, superseded ratings as well, in the order of saving."""
        return self._history()

    def _history(self, annotator: str | None = None) -> list[SavedRating]:
        query = select(ratings).order_by(ratings.c.id)
        if annotator is not None:
            query = query.where(ratings.c.annotator == annotator)
        with self._reading() as conn:
            return [SavedRating(**_fields(row)) for row in conn.execute(query)]

    @staticmethod
    def _latest(rows: Sequence[SavedRating]) -> list[SavedRating]:
        # By nonce, so that a card's values are those of one showing, whatever was interleaved.
        last = {(r.annotator, r.token): r.nonce for r in rows}
        return [r for r in rows if last[r.annotator, r.token] == r.nonce]

    def event(self, annotator: str, kind: str, detail: str = "") -> None:
        """Note that something happened.

        Args:
            annotator: To whom; somebody in the plan, or who runs the study.
            kind: One word, such as `break`; at most 40 characters.
            detail: More of it; cut at 4,000 characters.
        """
        row = {"annotator": annotator[:40], "kind": kind[:40], "detail": clean(detail)[:MAX_COMMENT], "at": time.time()}
        with self._writing("not saved") as conn:
            conn.execute(insert(events).values(**row))

    def events(self) -> list[SavedEvent]:
        """All events, in their order."""
        with self._reading() as conn:
            return [SavedEvent(**_fields(row)) for row in conn.execute(select(events).order_by(events.c.id))]

    def to_adjudicate(self, n_random_share: float = 0.1, seed: int = 0, open_only: bool = True) -> list[str]:
        """Cards for a third opinion: those that two people or more rated differently, and some that they did not.

        Args:
            n_random_share: Share of the cards in agreement that is drawn as well.
            seed: Seed of that draw.
            open_only: Leave out what has been adjudicated.

        Returns:
            Tokens; the largest disagreement first, then those in agreement.
        """
        tokens = adjudication.queue(self.plan, self._by_card(), n_random_share, seed)
        done = {a.token for a in self.adjudications()} if open_only else set()
        return [t for t in tokens if t not in done]

    def _by_card(self) -> dict[str, dict[str, dict[str, float]]]:
        """Latest values by token, annotator and criterion; skipped cards are left out."""
        found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for r in self.ratings():
            if r.value is not None:
                found[r.token][r.annotator][r.criterion] = r.value
        return found

    def anonymous(self, token: str) -> list[dict[str, Any]]:
        """People's ratings of a card as rater A, B and so on, in an order that is drawn for the card and stays.

        Returns:
            For each rater `rater` (a letter), `values` by criterion and `comment`.
        """
        by_rater = self._by_card().get(token, {})
        words = {r.annotator: r.comment for r in self.ratings() if r.token == token}
        order = adjudication.shown_order(self.plan, token, by_rater)
        letters = adjudication.letters(len(order))
        return [
            {"rater": letter, "values": dict(by_rater[name]), "comment": words.get(name, "")}
            for letter, name in zip(letters, order, strict=True)
        ]

    def adjudicate(
        self, adjudicator: str, token: str, values: Mapping[str, float], nonce: str, seen: Sequence[str] | None = None
    ) -> bool:
        """Save a settled value of every criterion, as a layer of its own above people's ratings.

        Args:
            adjudicator: Who settles.
            token: The card.
            values: A value on its scale for every criterion.
            nonce: As in `save`.
            seen: Raters in the order in which they were shown, as names or as the letters of `anonymous`; that order if
                not given.

        Returns:
            False where this nonce was saved before.

        Raises:
            AnnotationError: No such card, values off the scale or missing, or the database is away.
        """
        if not _NAME.fullmatch(adjudicator):
            raise AnnotationError("not saved: give the adjudicator a name of letters and digits")
        criteria = {c.id: c.values for c in self.plan.criteria_of(token)}
        if set(values) != set(criteria) or any(values[c] not in criteria[c] for c in criteria):
            raise AnnotationError("not saved: give a value on its scale for every criterion")
        if not 1 <= len(nonce) <= MAX_NONCE:
            raise AnnotationError("not saved: no usable nonce; show the card again")
        order = adjudication.shown_order(self.plan, token, self._by_card().get(token, {}))
        by_letter = dict(zip(adjudication.letters(len(order)), order, strict=True))
        names = [by_letter.get(s, s) for s in (order if seen is None else seen)]
        common = {
            "adjudicator": adjudicator, "token": token, "nonce": clean(nonce), "seen": json.dumps(names),
            "at": time.time(),
        }  # fmt: skip
        mine = (adjudications.c.adjudicator == adjudicator) & (adjudications.c.nonce == clean(nonce))
        rows = [{**common, "criterion": c, "value": float(values[c])} for c in criteria]
        return self._once(adjudications, mine, rows)

    def adjudications(self) -> list[SavedAdjudication]:
        """All settled values, in the order of saving; of one adjudicator and token the last stands."""
        with self._reading() as conn:
            rows = [_fields(row) for row in conn.execute(select(adjudications).order_by(adjudications.c.id))]
        return [SavedAdjudication(**{**r, "seen": tuple(json.loads(r["seen"]))}) for r in rows]


def _saves(conn: Connection, annotator: str, token: str) -> int:
    """How often an annotator has saved a card."""
    mine = (ratings.c.annotator == annotator) & (ratings.c.token == token)
    return int(conn.execute(select(func.count(ratings.c.nonce.distinct())).where(mine)).scalar_one())


def _fields(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)
