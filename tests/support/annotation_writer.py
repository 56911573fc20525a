"""Processes that save ratings as fast as they can, and tell each one that was acknowledged.

    python -m tests.support.annotation_writer URL PLAN LABEL ROUNDS ANNOTATOR...

A process is forked for each annotator named, all before any has opened the database. Each saves its queue ROUNDS times
with nonces `LABEL-round-token` and writes `PID ANNOTATOR saved NONCE` or `... again NONCE`, a line at once, on the
common output.
"""

from __future__ import annotations

import os
import sys
import time

from judges.annotation.database import AnnotationStore
from judges.annotation.plan import Plan, load_plan
from judges.annotation.tables import database_url


def write(url: str, plan: Plan, annotator: str, label: str, rounds: int) -> None:
    store = AnnotationStore(url, plan)
    for k in range(rounds):
        for position, token in enumerate(plan.queue(annotator).tokens):
            nonce = f"{label}-{k}-{token}"
            values = {c.id: c.values[(position + k) % len(c.values)] for c in plan.criteria_of(token)}
            new = store.save(annotator, token, values, nonce=nonce, shown_at=time.time(), position=position)
            # One write of less than a pipe's buffer is never mixed with another process's.
            os.write(1, f"{os.getpid()} {annotator} {'saved' if new else 'again'} {nonce}\n".encode())


def main(url: str, plan_path: str, label: str, rounds: str, *annotators: str) -> None:
    plan = load_plan(plan_path)
    database_url(url).get_dialect().import_dbapi()  # the driver: once here, and not again in each of them
    children = []
    for annotator in annotators:
        child = os.fork()
        if not child:
            try:
                write(url, plan, annotator, label, int(rounds))
            except BaseException as ex:
                os.write(1, f"{os.getpid()} {annotator} failed {type(ex).__name__}: {ex}\n".encode())
                os._exit(1)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
