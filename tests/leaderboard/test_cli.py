"""What every command does at a terminal, in a pipe that is closed, on a full disk and when it is stopped."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from leaderboard.cli.common import one_line_errors, progress_bar
from results.store import Store
from tests.support.made_runs import system


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("cli"))
    system(made, "m/one", answered=None)
    return made


def test_progress_is_one_line_of_a_terminal_that_is_cleared_and_none_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, its = os.openpty()
    try:
        with open(its, "w", encoding="utf-8") as terminal:
            monkeypatch.setattr(sys, "stderr", terminal)
            with progress_bar("pages") as told:
                told(0, 2)
                told(1, 2)
            monkeypatch.undo()
            said = b""
            while not said.endswith(b"\x1b[K"):  # a terminal hands on what it has so far
                said += os.read(ours, 1000)
            assert said.decode() == "\rpages: 0 of 2\rpages: 1 of 2\r\x1b[K"
    finally:
        os.close(ours)
    with progress_bar("pages") as told:
        told(1, 2)
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_ends_in_one_word_and_a_mistake_of_ours_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    # In a shell's background Ctrl-C is ignored, by the tests as well.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as stopped, one_line_errors():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.value.code == 130 and capsys.readouterr() == ("", "stopped\n")
    with pytest.raises(ValueError, match="invalid literal"), one_line_errors():
        int("no number")


def test_a_reader_that_has_gone_is_no_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, ours = os.pipe()
    os.close(gone)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", os.fdopen(ours, "w"))
        with pytest.raises(SystemExit) as ended:
            main(["runs", "--store", str(store.root)])
        written = sys.stdout
    assert ended.value.code == 1 and capsys.readouterr().err == ""
    with suppress(BrokenPipeError):
        written.close()


@pytest.mark.parametrize("arguments", [["runs", "--store"], ["--help"]])
def test_output_that_does_not_fit_is_one_line(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *([str(store.root)] if arguments[-1] == "--store" else [])])
    said = capsys.readouterr().err
    assert ended.value.code == 1 and said.count("\n") == 1
    assert said.startswith("Error: the output cannot be written: No space left on device; make room")


def test_a_name_that_no_disk_takes_is_one_line() -> None:
    name = "a" * 300
    done = CliRunner().invoke(main, ["data", "check", f"paper={name}"])
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert done.stderr == f"Error: {name}: File name too long; mend that and give the command again\n"
