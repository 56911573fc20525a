"""The plan and the database that a server was started with."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from judges.annotation.database import AnnotationStore
from judges.annotation.model import AnnotationError, Plan
from judges.annotation.plan import load_plan

ENV_PLAN: Final = "PSYCHOSAFE_PLAN"
ENV_DB: Final = "PSYCHOSAFE_ANNOTATION_DB"
ENV_MAP: Final = "PSYCHOSAFE_ADMIN_MAP"
_DATABASE: Final = re.compile(r"the annotation database [^:;,]*")
_PATH: Final = re.compile(r"\S*[/\\]\S*")
WRONG: Final = "No such name and code. Check both and try again."


def plan_path() -> Path:
    """Where the plan is.

    Raises:
        AnnotationError: The environment names none.
    """
    path = os.environ.get(ENV_PLAN)
    if not path:
        raise AnnotationError("no plan named; start with `psychosafe annotate serve PLAN.json --db URL`")
    return Path(path)


def open_study() -> tuple[Plan, AnnotationStore]:
    """The plan and the database that the environment names.

    Raises:
        AnnotationError: One is not named, cannot be read, or does not belong to the other.
    """
    plan = load_plan(plan_path())
    url = os.environ.get(ENV_DB)
    if not url:
        raise AnnotationError("no database named; start with `psychosafe annotate serve PLAN.json --db URL`")
    return plan, _store(url, plan.sha256, plan)


# One connection pool a process and not one a visitor; of the plan, its hash is the key.
@st.cache_resource(max_entries=2, show_spinner=False)
def _store(url: str, plan_sha256: str, _plan: Plan) -> AnnotationStore:
    return AnnotationStore(url, _plan)


def not_ready(ex: AnnotationError, *, in_full: bool = False) -> None:
    """The page of a study that cannot be opened.

    Args:
        ex: Why.
        in_full: Show names of files and databases, which could tell an annotator what the study compares.
    """
    print(ex, file=sys.stderr)
    st.title("Not ready", anchor=False)
    st.error("The study cannot be opened. Please tell the person who runs it.")
    st.code(str(ex) if in_full else without_names(str(ex)), language=None, wrap_lines=True)


def without_names(message: str) -> str:
    """A message without names of files, folders and databases."""
    for name in (os.environ.get(ENV_PLAN), os.environ.get(ENV_DB)):
        message = message.replace(name, "[file]") if name else message
    return _DATABASE.sub("the annotation database", _PATH.sub("[file]", message))


def login(title: str, admitted: Callable[[str, str], str | None]) -> str | None:
    """Name and code.

    Args:
        title: The page's heading.
        admitted: From both as typed, who it is, or None.

    Returns:
        Who has just logged in.
    """
    st.title(title, anchor=False)
    with st.form("login", width=420):
        name = st.text_input("Your name", autocomplete="username")
        code = st.text_input("Your access code", type="password", autocomplete="current-password")
        entered = st.form_submit_button("Log in", type="primary")
    if not entered:
        return None
    found = admitted(name, code)
    if found is None:
        # Guessing is slow; with codes of 50 bits that is enough.
        time.sleep(1)
        st.error(WRONG)
    return found
