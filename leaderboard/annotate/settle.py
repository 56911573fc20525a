"""Settling disagreements, without the page: which card lies on the table, who rated it how, and what is saved.

A module of its own, since Streamlit runs an app's file anew, classes and all, on every key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any

from judges.annotation.database import AnnotationStore
from judges.annotation.model import AnnotationError, Plan
from leaderboard.annotate.cards import OnDesk


class Table:
    """One adjudicator's session.

    Args:
        store: Where ratings are and settled values go.
        plan: The plan.
        adjudicator: A name.
        clock: Unix time in seconds.
    """

    def __init__(
        self, store: AnnotationStore, plan: Plan, adjudicator: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.store, self.plan, self.adjudicator, self.clock = store, plan, adjudicator, clock
        self.lock = RLock()
        self.card: OnDesk | None = None
        self.raters: list[dict[str, Any]] = []
        self.left = 0
        self.trouble: str | None = None
        self._passed: set[str] = set()
        self.retry()

    def retry(self) -> None:
        """Save what is complete, and lay the next card."""
        with self.lock:
            try:
                self._save()
                if self.card is None:
                    self._lay()
            except AnnotationError as ex:
                self.trouble = str(ex)
            else:
                self.trouble = None

    def show(self, nonce: str) -> None:
        """Uncover the text."""
        with self.lock:
            if self.card is not None and self.card.nonce == nonce and self.card.shown_at is None:
                self.card.shown_at = self.clock()

    def keys(self, nonce: str, entries: Sequence[Sequence[int]]) -> None:
        """Take in the key log of a card, as a desk does; there is no card before."""
        with self.lock:
            card = self.card
            if card is None or card.nonce != nonce or card.shown_at is None or self.trouble is not None:
                return
            for entry in entries[card.applied :]:
                if card.take(entry)[0] not in ("given", "taken back"):
                    card.renew()
                    return
                if card.complete:
                    break
            if card.complete:
                self.retry()

    def put_off(self, nonce: str) -> None:
        """Leave the card open, until the next log-in."""
        with self.lock:
            if self.card is not None and self.card.nonce == nonce:
                self._passed.add(self.card.token)
                self.card = None
                self.retry()

    def _save(self) -> None:
        card = self.card
        if card is not None and card.complete:
            seen = [r["rater"] for r in self.raters]
            self.store.adjudicate(self.adjudicator, card.token, dict(card.values), card.nonce, seen)
            self.card = None

    def _lay(self) -> None:
        waiting = [t for t in self.store.to_adjudicate() if t not in self._passed]
        self.left = len(waiting)
        if waiting:
            self.raters = self.store.anonymous(waiting[0])
            self.card = OnDesk(waiting[0], self.plan.criteria_of(waiting[0]))
