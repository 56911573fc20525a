"""A whole study as data: which models under which conditions on which tasks, judged by whom; planned, checked and run.

`read_suite` reads the file, `plan` spells out its runs with calls, tokens and cost, `check` says everything that would
stop it, and `run_suite` runs what is not done yet.
"""

from evals.suites.model import Suite, SuiteError
from evals.suites.plan import Plan, PlannedRun, plan
from evals.suites.read import read_suite

__all__ = ["Plan", "PlannedRun", "Suite", "SuiteError", "plan", "read_suite"]
