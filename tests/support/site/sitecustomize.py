"""For runners that a test starts, on their PYTHONPATH: what tests/conftest.py does for the process of the tests."""

import functools
import importlib.metadata

importlib.metadata.packages_distributions = functools.cache(importlib.metadata.packages_distributions)
