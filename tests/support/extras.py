"""Optional extras that some tests need: skipped without them, or failed where PSYCHOSAFE_REQUIRE names them."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest

MODULES = {"capabilities": ("lm_eval",), "tiny": ("torch", "transformers", "peft", "accelerate")}


def need(*extras: str) -> None:
    """Skip the test if a module of an extra is not installed."""
    for extra in extras:
        missing = [m for m in MODULES[extra] if find_spec(m) is None]
        if missing:
            reason = f"{missing[0]} is not installed: pip install -e '.[{extra}]' -c constraints/capabilities.txt"
            if extra in os.environ.get("PSYCHOSAFE_REQUIRE", "").split(","):
                pytest.fail(reason)
            pytest.skip(reason)
