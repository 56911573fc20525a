"""What happens where the machine fails: a cell for each part of the harness and each fault, with what shows it.

`docs/reliability.md` is made from this table (`python -m scripts.reliability`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROWS: Final = {
    "generation": "Asking the models (`psychosafe run`)",
    "judge": "Judging again (`psychosafe rejudge`)",
    "ingest": "Logs into the store (`psychosafe ingest`)",
    "import": "Other formats into the store (`psychosafe import`)",
    "annotate": "Ratings by people (`psychosafe annotate`)",
    "board": "The board (`psychosafe leaderboard`)",
    "export": "Files for others (`leaderboard --export`, `report`, `compare --format`)",
}
FAULTS: Final = {
    "killed": "process killed",
    "full": "disk full",
    "closed": "read-only folder",
    "corrupt": "corrupt file",
    "clock": "clock jumps back two days",
    "network": "network gone",
    "garbage": "provider answers garbage",
    "two": "two processes at once",
}
SAME: Final = "give the same command again"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        row: Key of `ROWS`.
        fault: Key of `FAULTS`.
        happens: What happens, in a sentence.
        lost: What is lost.
        resume: How to go on.
        shown_by: The tests that show it, as `file::test`.
        not_applicable: Why the fault cannot come to this part; then the other fields are empty.
    """

    row: str
    fault: str
    happens: str = ""
    lost: str = ""
    resume: str = ""
    shown_by: tuple[str, ...] = ()
    not_applicable: str = ""


_KILLED = "tests/e2e/test_suite_killed.py::"
_FAILING = "tests/e2e/test_suite_failing.py::"
_REJUDGE = "tests/e2e/test_rejudge.py::"
_STOPPED = "tests/e2e/test_rejudge_stopped.py::"
_GROWTH = "tests/e2e/test_store_growth.py::"
_INGEST = "tests/e2e/test_ingest.py::"
_PEOPLE = "tests/judges/test_annotation_database.py::"
_CHANGING = "tests/leaderboard/test_changing_store.py::"
_HERE = "tests/reliability/test_"


def _(row: str, fault: str, happens: str, lost: str, resume: str, *shown_by: str) -> Cell:
    return Cell(row, fault, happens, lost, resume, shown_by)


def _never(row: str, fault: str, why: str) -> Cell:
    return Cell(row, fault, not_applicable=why)


CELLS: Final = (
    _("generation", "killed",
      "Of one runner: the command starts another, which goes on. Of the whole command: the runners end with it.",
      "Calls that were on their way; no sample that was finished.", SAME,
      f"{_KILLED}test_killed_and_given_again", f"{_KILLED}test_killed_at_twenty_random_moments"),
    _("generation", "full", "The runs that cannot be written end with status 1 and the reason.",
      "Samples that could not be written; no run that was done.", f"Make room and {SAME}.",
      f"{_HERE}generation.py::test_disk_full"),
    _("generation", "closed", "Refused in one line before the first call.", "Nothing.",
      "Name another folder with --dir.", f"{_HERE}generation.py::test_read_only_folder"),
    _("generation", "corrupt",
      "A mark that a run is done which is cut is no mark: the run's log is looked at, and nothing is asked again. A "
      "cut log is named, and left as it is.", "What only the cut log held.",
      f"Move the log that is named away, and {SAME}.", f"{_HERE}generation.py::test_corrupt_files"),
    _("generation", "clock", "Nothing: who is silent is measured by a clock that never goes back.", "Nothing.",
      "Nothing is to be done.", f"{_HERE}generation.py::test_clock_jump"),
    _("generation", "network",
      "Calls are tried again, with growing waits; then the runs end with status 1 and the provider's reason.",
      "Nothing that was finished.", f"When it is back, {SAME}.", f"{_HERE}generation.py::test_network_gone"),
    _("generation", "garbage",
      "Limits that are hit, errors, silence, resets, half JSON and half answers are tried again; what fails for good "
      "is missing, with the reason.", "Nothing; calls in vain are counted and printed.", SAME,
      f"{_FAILING}test_a_provider_that_fails_three_times_of_ten",
      f"{_FAILING}test_a_run_that_fails_says_why_in_one_line"),
    _("generation", "two", "They share the runs: each is claimed by one; a claim whose owner died is taken over.",
      "Nothing.", "Nothing is to be done.", f"{_KILLED}test_two_runners_on_one_disk_and_one_of_them_killed",
      f"{_KILLED}test_two_runners_on_one_bucket_and_one_of_them_killed"),
    _("judge", "killed",
      "Every verdict is on the disk before the next is asked for in its place; no half log is there.",
      "Verdicts that were on their way.", SAME, f"{_STOPPED}test_killed_in_the_middle"),
    _("judge", "full",
      "It stops with one line at the first verdict that cannot be kept; no further call is begun. If only the log does "
      "not fit, all verdicts are kept.", "Verdicts that were on their way (20 at the most).", f"Make room and {SAME}.",
      f"{_HERE}judge.py::test_disk_full", f"{_HERE}judge.py::test_disk_full_when_all_is_judged"),
    _("judge", "closed", "Refused in one line before the first call.", "Nothing.", "Name another folder with --out.",
      f"{_HERE}judge.py::test_read_only_folder"),
    _("judge", "corrupt", "Of a cut journal every whole line counts; a cut log is refused in one line.",
      "The verdict whose line was cut.", SAME, f"{_STOPPED}test_a_torn_journal",
      f"{_REJUDGE}test_logs_that_cannot_be_judged"),
    _("judge", "clock", "Nothing.", "Nothing.", "Nothing is to be done.", f"{_HERE}judge.py::test_clock_jump"),
    _("judge", "network",
      "Verdicts that do not come are missing in the log, with the reason, and are never a 0; the command says so.",
      "Nothing that came.", f"When it is back, {SAME}: only the missing verdicts are asked for.",
      f"{_HERE}judge.py::test_network_gone"),
    _("judge", "garbage", "A repair turn; then the verdict is missing, as refused, unparsable or failed.", "Nothing.",
      f"For those that failed, {SAME}.", f"{_REJUDGE}test_failures_land_in_their_statuses",
      f"{_STOPPED}test_provider_errors_are_asked_again"),
    _("judge", "two", "The second is refused in one line; no verdict is paid for twice.", "Nothing.",
      "Wait until the first has ended.", f"{_HERE}judge.py::test_two_processes_at_once"),
    _("ingest", "killed", "Every run that is there is whole; a half one is none, and is swept by the next ingest.",
      "Nothing.", SAME, f"{_GROWTH}test_killed_at_any_moment_it_ends_the_same",
      f"{_GROWTH}test_what_a_killed_writer_left_is_swept_and_peoples_ratings_are_not"),
    _("ingest", "full", "One line; runs that are in stay, whole, and can be read.", "Nothing.",
      f"Make room and {SAME}.", f"{_HERE}ingest.py::test_disk_full"),
    _("ingest", "closed", "One line; what is in the store can be listed, compared and shown.", "Nothing.",
      "Mend the permissions or name another store.", f"{_HERE}ingest.py::test_read_only_folder"),
    _("ingest", "corrupt",
      "A damaged log is left out and named, and stops no other. Damaged ratings in the store leave their run out, by "
      "name; damaged figures are made again.", "Nothing that a log still holds.",
      "Ingest the log again; copy a damaged log again.", f"{_INGEST}test_each_unusable_file_is_refused_in_one_line",
      f"{_HERE}ingest.py::test_damaged_figures_are_made_again"),
    _("ingest", "clock", "Nothing: a file is known by whether its time is the same, not by which is later.", "Nothing.",
      "Nothing is to be done.", f"{_HERE}ingest.py::test_clock_jump",
      f"{_GROWTH}test_a_log_that_was_touched_is_read_once_more_and_then_not"),
    _("ingest", "network", "A bucket that does not answer is left out in one line; other logs go in.", "Nothing.",
      f"When it is back, {SAME}.", f"{_HERE}ingest.py::test_network_gone"),
    _never("ingest", "garbage",
      "An ingest asks no provider; what one garbled is in the log as a verdict without value."),
    _("ingest", "two", "The second says that it waits, and goes on when the first has ended.", "Nothing.",
      "Nothing is to be done.", f"{_GROWTH}test_a_second_writer_waits"),
    _("import", "killed", "Every run that is there is whole.", "Nothing.", SAME, f"{_HERE}import.py::test_killed"),
    _("import", "full", "One line. Runs that are in stay, whole; of people's ratings all are added, or none.",
      "Nothing.", f"Make room and {SAME}.", f"{_HERE}import.py::test_disk_full",
      f"{_HERE}import.py::test_people_on_a_full_disk_are_added_whole_or_not_at_all"),
    _("import", "closed", "One line, and nothing is written.", "Nothing.",
      "Mend the permissions or name another store.", f"{_HERE}import.py::test_read_only_folder"),
    _("import", "corrupt",
      "A file that cannot be read refuses the whole import in one line. People's ratings in the store that cannot be "
      "read are named, with what brings them back.", "Nothing that the file still holds.",
      "Mend the file; remove a damaged file of ratings and import it again.",
      "tests/e2e/test_compare.py::test_a_spoilt_file_leaves_nothing_behind",
      f"{_HERE}import.py::test_a_damaged_file_of_ratings_is_named_with_what_brings_it_back"),
    _("import", "clock", "Nothing: no time of day is in what is written.", "Nothing.", "Nothing is to be done.",
      f"{_HERE}import.py::test_clock_jump"),
    _never("import", "network", "An import reads files on this machine and makes no network call."),
    _never("import", "garbage", "An import asks no provider."),
    _("import", "two", "The second waits for each run; each run is written once.", "Nothing.", "Nothing is to be done.",
      f"{_HERE}import.py::test_two_processes_at_once"),
    _("annotate", "killed", "A rating is on the disk before it is acknowledged, with all of its criteria.",
      "At most the card that was being saved; what was pressed on it is kept as a draft.", "Open the app again.",
      f"{_PEOPLE}test_killed_in_mid_save",
      "tests/leaderboard/test_annotate_browser.py::test_a_killed_server_loses_nothing_that_was_given"),
    _("annotate", "full", "The annotator is told that the card is not saved and why.", "Nothing that was acknowledged.",
      "Make room and press Try again.", f"{_HERE}annotate.py::test_disk_full",
      "tests/leaderboard/test_annotate_app.py::test_database_away_loses_nothing"),
    _("annotate", "closed", "Said in one line before the app starts.", "Nothing.", "Mend the permissions.",
      f"{_HERE}annotate.py::test_read_only_folder"),
    _("annotate", "corrupt", "One line; the file is left as it is, and no new one is begun.",
      "What the file has lost: keep copies of it.", "Go back to a copy.",
      f"{_HERE}annotate.py::test_a_damaged_database_is_said_and_never_started_anew"),
    _("annotate", "clock", "The later correction stands, whatever time it says.", "Nothing.", "Nothing is to be done.",
      f"{_HERE}annotate.py::test_clock_jump"),
    _("annotate", "network", "The annotator is told that the card is not saved: the database does not answer.",
      "Nothing that was acknowledged.", "When PostgreSQL is back, press Try again.",
      f"{_HERE}annotate.py::test_network_gone"),
    _never("annotate", "garbage", "The rating app asks no provider."),
    _("annotate", "two", "Every rating is there once, also of one annotator in two windows.", "Nothing.",
      "Nothing is to be done.", f"{_PEOPLE}test_ten_processes_at_once",
      "tests/leaderboard/test_annotate_desk.py::test_two_windows_do_not_rate_one_card_twice"),
    _("board", "killed", "The store is as it was. Pages that are open while a writer is killed show whole runs only.",
      "Nothing: the board keeps only what it can make again.", "Start it again.",
      f"{_HERE}board.py::test_killed_and_started_again_and_two_on_one_port",
      f"{_CHANGING}test_pages_while_another_process_writes_and_is_killed"),
    _("board", "full", "The pages are drawn, more slowly: what is kept for speed is not kept.", "Nothing.",
      "Make room.", f"{_HERE}board.py::test_read_only_store_and_full_disk"),
    _("board", "closed", "The pages are drawn, more slowly.", "Nothing.", "Nothing is to be done.",
      f"{_HERE}board.py::test_read_only_store_and_full_disk"),
    _("board", "corrupt",
      "A run that cannot be read is named and left out, the others are shown. A damaged derived file is made again.",
      "Nothing that a log still holds.", "Ingest the log again.",
      f"{_CHANGING}test_new_runs_show_and_broken_ones_are_named",
      f"{_HERE}export.py::test_damaged_files_that_can_be_made_again_are"),
    _("board", "clock", "New and replaced runs are seen: files are compared, not ordered by time.", "Nothing.",
      "Nothing is to be done.", f"{_HERE}board.py::test_clock_jump"),
    _never("board", "network", "The board makes no network call, nor does a page that it sends."),
    _never("board", "garbage", "The board asks no provider."),
    _("board", "two", "On one port the second ends and says that the port is taken; on two ports both read one store.",
      "Nothing.", "Name another port.", f"{_HERE}board.py::test_killed_and_started_again_and_two_on_one_port"),
    _("export", "killed", "The file that was there before is there, or the new one.", "Nothing.", SAME,
      f"{_HERE}export.py::test_killed"),
    _("export", "full",
      "One line and status 1; the file that was there before stays. A table sent to a full disk is cut.",
      "Nothing.", f"Make room and {SAME}.", f"{_HERE}export.py::test_disk_full",
      f"{_HERE}export.py::test_tables_into_a_full_disk"),
    _("export", "closed", "One line, and the file that was there before stays.", "Nothing.", "Name another place.",
      f"{_HERE}export.py::test_read_only_folder"),
    _("export", "corrupt", "A run that cannot be read is named in the file and left out; derived files are made again.",
      "Nothing that a log still holds.", "Ingest the log again.",
      "tests/leaderboard/test_export_states.py::test_every_state_of_a_store",
      f"{_HERE}export.py::test_damaged_files_that_can_be_made_again_are"),
    _("export", "clock", "Nothing: the board's file is the same at any time of day.", "Nothing.",
      "Nothing is to be done.", f"{_HERE}export.py::test_clock_jump"),
    _never("export", "network", "An export makes no network call; what it writes asks for nothing."),
    _never("export", "garbage", "An export asks no provider."),
    _("export", "two", "Into one file: it is whole, of one of the two, and nothing lies beside it.", "Nothing.",
      "Nothing is to be done.", f"{_HERE}export.py::test_two_processes_at_once"),
)  # fmt: skip
