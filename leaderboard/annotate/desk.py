"""The desk of one annotator: which card lies on it, what has been given, and what a key does.

No Streamlit here. Every card laid on the desk gets a nonce, and every action names the nonce that it was meant for: one
that is late, sent twice or meant for another card changes nothing. A value is a draft in the database before the page
is drawn again, and a card is saved before the next one is laid.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Concatenate, Final, Literal, ParamSpec

from judges.annotation.database import AnnotationStore
from judges.annotation.model import AnnotationError, Card, Pair, Plan
from leaderboard.annotate.cards import OnDesk, first_few

Stage = Literal["care", "rate", "feedback", "break", "paused", "capped", "pairs", "done", "stopped"]
REST_MINUTES: Final = 30
"""So long a pause begins a new session."""
MAX_COMMENT: Final = 2000


@dataclass(frozen=True)
class Feedback:
    """After a training card: what was given and what was intended, by criterion."""

    token: str
    given: dict[str, float]
    intended: dict[str, float]


P = ParamSpec("P")


def _alone(method: Callable[Concatenate[Desk, P], None]) -> Callable[Concatenate[Desk, P], None]:
    """One action at a time: Streamlit runs the callbacks of two quick keys in two threads at once."""

    def locked(self: Desk, /, *args: P.args, **kwargs: P.kwargs) -> None:
        with self.lock:
            method(self, *args, **kwargs)

    locked.__doc__ = method.__doc__
    return locked


@dataclass
class _Remark:
    comment: str = ""
    flagged: bool = False


class Desk:
    """One annotator's session.

    Args:
        store: Where ratings and drafts go.
        plan: The plan.
        annotator: A name in the plan.
        clock: Unix time in seconds.
    """

    def __init__(
        self, store: AnnotationStore, plan: Plan, annotator: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.store, self.plan, self.annotator, self.clock = store, plan, annotator, clock
        self.lock = RLock()
        self.queue = plan.queue(annotator)
        self.stage: Stage = "care"
        self.card: OnDesk | None = None
        self.feedback: Feedback | None = None
        self.trouble: str | None = None
        """One line while the database cannot be reached; what was given stays here meanwhile."""
        self.count = (0, len(self.queue.tokens))
        """Cards and pairs done, and all of this annotator's."""
        self.since_break = 0
        self.began = clock()
        self._unsent: list[Callable[[], None]] = []
        self._remarks: dict[str, _Remark] = {}
        self._pairs_announced = False

    # Coming and going

    @_alone
    def go_on(self) -> None:
        """The annotator has read the content note and goes on, or comes back from a break."""
        if self.stage == "care":
            self._guarded(self._begin)
        elif self.stage in ("break", "paused", "pairs"):
            self._guarded(self._advance)

    @_alone
    def pause(self, nonce: str) -> None:
        """Cover the card and rest; values given stay."""
        if self._is_current(nonce):
            self.stage = "paused"
            self._guarded(lambda: self.store.event(self.annotator, "pause"))

    @_alone
    def stop(self) -> None:
        """End the session; nothing given is lost."""
        self.stage, self.card, self.feedback = "stopped", None, None
        self._guarded(lambda: self.store.event(self.annotator, "stop"))

    @_alone
    def retry(self) -> None:
        """Try again what the database refused."""
        card = self.card
        if self.stage == "care":
            self._guarded(self._begin)
        elif card is not None and card.complete and self.stage == "rate":
            self._guarded(lambda: self._save(card))
        else:
            self._guarded(self._flush if card is not None else self._advance)

    # What is done to a card

    @_alone
    def show(self, nonce: str) -> None:
        """Uncover the text; the clock of the card starts here."""
        if self._is_current(nonce) and self.card is not None and self.card.shown_at is None:
            self.card.shown_at = self.clock()

    @_alone
    def keys(self, nonce: str, entries: Sequence[Sequence[int]]) -> None:
        """Take in the key log of a card.

        Args:
            nonce: The card that it belongs to.
            entries: All keys since the card was laid, each (number, criterion index, option index); an option of -1
                takes the criterion back, a criterion of -1 asks for the card before.
        """
        card = self.card
        if not self._is_current(nonce) or card is None or card.shown_at is None:
            return
        fresh = card.applied == 0 and self.clock() - card.shown_at < self.plan.min_seconds
        for entry in entries[card.applied :]:
            if (fresh and entry[-1] >= 0) or not self._apply(card, entry):
                # Too soon to have been meant, or page and desk no longer agree: lay the card anew.
                card.renew()
                return
            if self.card is not card or card.complete:
                break
        self._guarded((lambda: self._save(card)) if self.card is card and card.complete else self._flush)

    @_alone
    def comment(self, nonce: str, text: str) -> None:
        """Keep a remark with the card."""
        if self._is_current(nonce) and self.card is not None:
            self.card.comment = text[:MAX_COMMENT]
            self._note(self.card, "comment", comment=self.card.comment)
            self._guarded(self._flush)

    @_alone
    def flag(self, nonce: str) -> None:
        """Mark the card as distressing, or take the mark away."""
        if self._is_current(nonce) and self.card is not None:
            self.card.flagged = not self.card.flagged
            self._note(self.card, "flag", flagged=self.card.flagged)
            self._guarded(self._flush)

    @_alone
    def skip(self, nonce: str) -> None:
        """Leave the card without a reason."""
        card = self.card
        if self._is_current(nonce) and card is not None:
            self._guarded(lambda: self._save(card, skipped=True))

    @_alone
    def understood(self, token: str) -> None:
        """Feedback on a training card has been read."""
        if self.stage == "feedback" and self.feedback is not None and self.feedback.token == token:
            self._guarded(self._advance)

    # Inside

    def _is_current(self, nonce: str) -> bool:
        return self.stage == "rate" and self.trouble is None and self.card is not None and self.card.nonce == nonce

    def _apply(self, card: OnDesk, entry: Sequence[int]) -> bool:
        """Take in one key; False if it does not fit what is on the desk."""
        done, criterion = card.take(entry)
        if criterion is not None:
            self._draft(card, criterion.id, card.values.get(criterion.id))
        return done != "no fit" and (done != "card before" or self._back(card))

    def _back(self, card: OnDesk) -> bool:
        """Lay the card before, for a correction. A training card is not taken back: its values have been shown."""
        at = self.queue.tokens.index(card.token)
        if at == 0:
            return False
        before = self.plan.by_token[self.queue.tokens[at - 1]]
        if isinstance(before, Card) and before.kind == "training":
            return False
        self._guarded(lambda: self._lay_again(before.token))
        return self.trouble is None

    def _lay_again(self, token: str) -> None:
        criteria = self.plan.criteria_of(token)
        saved = self.store.current(self.annotator, token) or {}
        self.card = self._card(token, first_few(criteria, saved), correcting=True)
        # It has been uncovered before.
        self.card.shown_at = self.clock()

    def _begin(self) -> None:
        now = self.clock()
        began: float | None = None
        last = max((r.submitted_at for r in self.store.ratings() if r.annotator == self.annotator), default=0.0)
        for event in self.store.events():
            if event.annotator != self.annotator:
                continue
            if event.kind != "again":
                last = max(last, event.at)
            if event.kind == "begin":
                began = event.at
            elif event.kind in ("comment", "flag"):
                self._remember(event.detail)
        # A page opened anew does not begin a new session: the cap is on the person's time.
        fresh = began is None or now - last > 60 * REST_MINUTES
        self.store.event(self.annotator, "begin" if fresh else "again")
        self.began = now if began is None or fresh else began
        self._advance()

    def _remember(self, detail: str) -> None:
        try:
            said = json.loads(detail)
            remark = self._remarks.setdefault(str(said["token"]), _Remark())
        except (ValueError, KeyError, TypeError):
            return
        remark.comment = str(said.get("comment", remark.comment))
        remark.flagged = bool(said.get("flagged", remark.flagged))

    def _advance(self) -> None:
        """Lay the next card, or say why there is none for now."""
        self.feedback = None
        if self.card is not None and self.stage == "paused":
            # The same card, covered again; its time starts when it is uncovered.
            self.card = self._card(self.card.token, self.card.values, correcting=self.card.correcting)
            self.stage = "rate"
            return
        token = self.store.next_token(self.annotator)
        self.count = self.store.position(self.annotator)
        self.card = None
        if token is None:
            self.stage = "done"
        elif self.clock() - self.began >= 60 * self.plan.session_cap_minutes:
            self.stage = "capped"
        elif self.since_break >= self.plan.break_every:
            self.since_break, self.stage = 0, "break"
        elif isinstance(self.plan.by_token[token], Pair) and not self._pairs_announced:
            self._pairs_announced, self.stage = True, "pairs"
        else:
            self._lay(token)

    def _lay(self, token: str) -> None:
        criteria = self.plan.criteria_of(token)
        values = first_few(criteria, self.store.drafts(self.annotator, token))
        self.card, self.stage = self._card(token, values), "rate"

    def _card(self, token: str, values: dict[str, float], *, correcting: bool = False) -> OnDesk:
        remark = self._remarks.setdefault(token, _Remark())
        return OnDesk(token, self.plan.criteria_of(token), values, correcting=correcting,
                      flagged=remark.flagged, comment=remark.comment)  # fmt: skip

    def _save(self, card: OnDesk, *, skipped: bool = False) -> None:
        self._flush()
        at = self.queue.tokens.index(card.token)
        if not card.correcting and self.store.current(self.annotator, card.token) is not None:
            # Rated meanwhile in another window of the same annotator: that one stands.
            self._advance()
            return
        values: dict[str, float | None] = {} if skipped else dict(card.values)
        self.store.save(
            self.annotator, card.token, values, status="skipped" if skipped else "ok", nonce=card.nonce,
            shown_at=card.shown_at if card.shown_at is not None else self.clock(), position=at,
            comment=card.comment, flagged=card.flagged,
        )  # fmt: skip
        self.since_break += not card.correcting
        intended = self.plan.answers.get(card.token)
        if intended is not None and not skipped:
            self.feedback = Feedback(card.token, dict(card.values), dict(intended))
            self.stage, self.card = "feedback", None
        else:
            self._advance()

    def _draft(self, card: OnDesk, criterion: str, value: float | None) -> None:
        self._unsent.append(lambda: self.store.draft(self.annotator, card.token, criterion, value))

    def _note(self, card: OnDesk, kind: str, **said: str | bool) -> None:
        self._remarks[card.token] = _Remark(card.comment, card.flagged)
        detail = json.dumps({"token": card.token, **said})
        self._unsent.append(lambda: self.store.event(self.annotator, kind, detail))

    def _flush(self) -> None:
        while self._unsent:
            self._unsent[0]()
            self._unsent.pop(0)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except AnnotationError as ex:
            self.trouble = str(ex)
        else:
            self.trouble = None
