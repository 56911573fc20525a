"""A stand-in for the program `vllm`: it serves answers that tell what it was started with, and keeps a record."""

from __future__ import annotations

import stat
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def install(folder: Path) -> tuple[Path, Path, Path]:
    """Put the program and an empty package `vllm` into a folder.

    Returns:
        What to put in front of $PATH and of Python's path, and the file in which each start is a line: name, process,
        how many of those started before were still running, and the options.
    """
    record = folder / "starts.txt"
    program = folder / "bin" / "vllm"
    program.parent.mkdir(parents=True)
    program.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import os, sys, threading
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from tests.support.openai_server import ScriptedServer, text
        record, name, words = Path({str(record)!r}), sys.argv[2], sys.argv[3:]
        def running(pid):
            try:
                return Path(f"/proc/{{pid}}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
            except OSError:
                return False
        before = [line.split()[1] for line in record.read_text().splitlines()] if record.exists() else []
        with record.open("a") as out:
            out.write(f"{{name}} {{os.getpid()}} {{sum(map(running, before))}} {{' '.join(words)}}\\n")
        revision = words[words.index("--revision") + 1]
        with ScriptedServer(port=int(words[words.index("--port") + 1])) as server:
            server.script(name, text(f"A made-up answer of {{name}} at {{revision}}."))
            threading.Event().wait()
        """),
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    package = folder / "site" / "vllm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    return program.parent, package.parent, record
