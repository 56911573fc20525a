"""The order of the tests, and what Inspect does anew for each run though no test looks at it."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

# Which distribution a task comes from: the same for every run of a process, and half a second of reading each time.
# Before Inspect is imported, which takes the function by its name.
importlib.metadata.packages_distributions = functools.cache(importlib.metadata.packages_distributions)
# A server by which a person at a terminal steers a run; processes that a test starts have none either.
os.environ.setdefault("INSPECT_EVAL_CTL_SERVER", "false")
# Each client of a model reads all authorities of the world, a twentieth of a second; no test speaks TLS.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "support" / "one_certificate.pem")

# What fails in a helper is shown as what fails in a test.
pytest.register_assert_rewrite("tests.support")


def pytest_collection_finish() -> None:
    """A model's name is held against those of all known ones, which Inspect takes apart anew for each client."""
    if info := sys.modules.get("inspect_ai.model._model_info"):
        for name in ("_extract_model_name", "_normalize_for_fuzzy"):
            if found := getattr(info, name, None):  # another version may have none of that name
                setattr(info, name, functools.cache(found))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes starts first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
