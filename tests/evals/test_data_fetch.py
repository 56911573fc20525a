"""Fetching data sets, against a loopback server that stands for GitHub and the hub and misbehaves on demand."""

from __future__ import annotations

import errno
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evals.data import SETS, DataError, Limits, Unreachable, check, fetch, load_rows, resolve
from evals.data import cache as cache_module
from evals.data import download as download_module
from evals.data.download import base_url, get
from evals.load import PAPER_DOMAINS
from leaderboard.cli.data import data_command

pytestmark = pytest.mark.socket

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO = "1" * 40, "2" * 40
TOKEN = "hf_secret_of_the_user"
QUICK = Limits(timeout=0.4, deadline=1.5, attempts=1, pause=0)
REPO, SORRY = SETS["paper"].source, SETS["sorry_bench"].source
API = f"/repos/{REPO}/commits/HEAD"
STYLE = "question_ascii.jsonl"


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # send only so many bytes of the stated length
    wait: float = 0  # seconds before the answer
    drip: float = 0  # seconds between bytes


@dataclass
class Server:
    """`routes` by path, changed at any time; `seen` has the path and the Authorization header of each request."""

    routes: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def count(self, part: str) -> int:
        return sum(part in path for path, _ in self.seen)

    def __enter__(self) -> Server:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, self.headers.get("Authorization")))
                reply = outer.routes.get(self.path, Reply(status=404))
                if isinstance(reply, list):
                    reply = reply.pop(0)
                time.sleep(reply.wait)
                self.send_response(reply.status)
                for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                body = reply.body[: reply.cut]
                for piece in [body[i : i + 1] for i in range(len(body))] if reply.drip else [body]:
                    with suppress(OSError):
                        self.wfile.write(piece)
                    time.sleep(reply.drip)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads, self._http.block_on_close = True, False
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def paper(text: str = "harmless", rows: int = 500) -> bytes:
    names = list(PAPER_DOMAINS)
    made = [{"prompt": f"{text} {i}", "risk cluster": names[i % 5], "risk category": "c"} for i in range(rows)]
    return json.dumps(made).encode()


def raw(commit: str, repo: str = REPO, path: str = "00_data/val.json") -> str:
    return f"/{repo}/{commit}/{path}"


def xstest() -> bytes:
    types = dict(SETS["xstest"].files[0].shape.groups["type"])
    kinds = [t for t, n in types.items() for _ in range(n)]
    lines = [f"{i},harmless {i},{t},{'un' * t.startswith('contrast')}safe,f,n" for i, t in enumerate(kinds, 1)]
    return "\n".join(["id,prompt,type,label,focus,note", *lines]).encode()


def question(style: str) -> bytes:
    rows = [
        {"question_id": i + 1, "category": i // 10 + 1, "turns": [f"{style} {i}"], "prompt_style": style}
        for i in range(440)
    ]
    return "\n".join(map(json.dumps, rows)).encode()


def put_hub(server: Server, source: str, files: dict[str, bytes], commit: str = ONE) -> None:
    info = {"sha": commit, "siblings": [{"rfilename": n} for n in ("README.md", *files)]}
    server.routes[f"/api/datasets/{source}/revision/main"] = Reply(json.dumps(info).encode())
    server.routes |= {f"/datasets/{source}/resolve/{commit}/{n}": Reply(data) for n, data in files.items()}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as server:
        monkeypatch.setenv("PSYCHOSAFE_DATA", str(tmp_path / "cache"))
        for name in ("PSYCHOSAFE_GITHUB_RAW", "PSYCHOSAFE_GITHUB_API", "HF_ENDPOINT"):
            monkeypatch.setenv(name, server.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setitem(SETS, "xstest", replace(SETS["xstest"], sha256=hashlib.sha256(xstest()).hexdigest()))
        server.routes = {API: Reply(ONE.encode()), raw(ONE): Reply(paper())}
        server.routes[raw("HEAD", SETS["xstest"].source, "xstest_prompts.csv")] = Reply(xstest())
        put_hub(server, SORRY, {"question.jsonl": question("base"), STYLE: question("ascii")})
        yield server


def kept(cache: Path) -> list[str]:
    """What lies in the cache besides the locks."""
    return sorted(str(p.relative_to(cache)) for p in cache.rglob("*") if not p.name.endswith(".lock"))


def test_fetch_once_then_offline(server: Server, tmp_path: Path) -> None:
    lines: list[str] = []
    done = fetch("paper", progress=lines.append)
    assert (done.state, done.revision, done.files) == ("fetched", ONE, 1) and "00_data/val.json" in lines[0]
    assert resolve("paper") == done.path and check("paper").cached and len(load_rows("paper")) == 500
    assert fetch("paper").state == "unchanged" and server.count("val.json") == 1
    fetch("xstest")
    server.__exit__()
    assert len(load_rows("paper")) == 500 and load_rows("xstest")[0]["category"] == "homonyms"
    again = fetch("paper", limits=QUICK)
    assert again.state == "unchanged" and "could not be asked" in again.note
    assert fetch("xstest", limits=QUICK).note == ""  # pinned by checksum: there is nothing to ask
    assert fetch("paper", ONE).state == "unchanged"
    with pytest.raises(Unreachable, match=r"^sorry_bench: 127\.0\.0\.1 cannot be reached .* are you online"):
        fetch("sorry_bench", limits=QUICK)
    assert len(kept(tmp_path / "cache")) == 8  # two sets: folder, record, content, file


BAD: dict[str, tuple[str, Callable[[Server], None], str]] = {
    "corrupted": ("xstest", lambda s: _set(s, "xstest", Reply(xstest().replace(b"homonyms", b"x", 1))), "pinned"),
    "truncated": ("paper", lambda s: _set(s, "val", Reply(paper(), cut=900)), "cut short (900 of"),
    "truncated without a length": (
        "paper", lambda s: _set(s, "val", Reply(paper(), cut=900, headers={"Content-Length": ""})), "not valid JSON",
    ),
    "no such file": ("paper", lambda s: _set(s, "val", Reply(status=404)), "HTTP 404"),
    "no such repository": ("paper", lambda s: _set(s, "commits", Reply(status=404)), "HTTP 404"),
    "asked too often": ("paper", lambda s: _set(s, "commits", Reply(status=403)), "with --revision"),
    "server error": ("paper", lambda s: _set(s, "val", Reply(status=503)), "HTTP 503"),
    "no commit": ("paper", lambda s: _set(s, "commits", Reply(b"<html>")), "names no commit"),
    "silent": ("paper", lambda s: _set(s, "val", Reply(paper(), wait=3)), "too slow"),
    "dripping": ("paper", lambda s: _set(s, "val", Reply(paper(), drip=0.1)), "not done in time"),
    "too large": ("xstest", lambda s: _set(s, "xstest", Reply(b"x" * (5 * 2**20))), "more than 4 MiB"),
    "endless": (
        "xstest", lambda s: _set(s, "xstest", Reply(b"x" * (9 * 2**20), headers={"Content-Length": ""})), "more than",
    ),
    "columns": ("paper", lambda s: _set(s, "val", Reply(paper().replace(b"risk category", b"rc"))), "no column"),
    "rows": ("paper", lambda s: _set(s, "val", Reply(paper(rows=495))), "495 rows"),
    "latin-1": ("paper", lambda s: _set(s, "val", Reply(paper().replace(b"harmless", b"na\xefve", 1))), "not UTF-8"),
    "login page": ("paper", lambda s: _set(s, "val", Reply(b"<!doctype html>")), "a web page"),
    "packed": ("paper", lambda s: _set(s, "val", Reply(paper(), headers={"Content-Encoding": "gzip"})), "packed"),
    "redirect loop": ("paper", lambda s: _set(s, "val", _to(raw(ONE))), "more than 5 redirects"),
    "redirect to a file": ("paper", lambda s: _set(s, "val", _to("file:///etc/passwd")), "not followed"),
    "redirect to nowhere": ("paper", lambda s: _set(s, "val", _to("")), "not followed"),
    "gated": ("sorry_bench", lambda s: _set(s, f"{ONE}/question.jsonl", Reply(status=401)), "set HF_TOKEN"),
    "hub nonsense": ("sorry_bench", lambda s: _set(s, "/api/", Reply(b"[]")), "check HF_ENDPOINT"),
    "second file": ("sorry_bench", lambda s: _set(s, STYLE, Reply(question("ascii")[:-900])), "not valid JSON"),
    "no main file": ("sorry_bench", lambda s: put_hub(s, SORRY, {STYLE: b""}), "has no file 'question.jsonl'"),
}  # fmt: skip


def _to(url: str) -> Reply:
    return Reply(status=302, headers={"Location": url})


def _set(server: Server, part: str, reply: Reply) -> None:
    for path in [p for p in server.routes if part in p]:
        server.routes[path] = reply


@pytest.mark.parametrize("case", BAD)
def test_a_fetch_that_fails_keeps_nothing(server: Server, tmp_path: Path, case: str) -> None:
    name, spoil, says = BAD[case]
    spoil(server)
    with pytest.raises(DataError, match=r"^[^\n]{20,}$") as error:
        fetch(name, limits=QUICK)
    assert says in str(error.value) and str(error.value).startswith(f"{name}: ")
    assert kept(tmp_path / "cache") == [] and resolve(name) is None and check(name).missing


def test_a_passing_failure_is_asked_again(server: Server) -> None:
    server.routes[raw(ONE)] = [Reply(status=503), Reply(paper(), cut=900), Reply(paper())]
    assert fetch("paper", limits=replace(QUICK, attempts=3)).state == "fetched" and server.count("val.json") == 3


def test_a_change_under_the_branch_is_refused_until_asked_for(server: Server) -> None:
    first = fetch("paper").path
    server.routes |= {API: Reply(TWO.encode()), raw(TWO): Reply(paper())}
    assert "same content" in fetch("paper").note
    server.routes[raw(TWO)] = Reply(paper("other"))
    with pytest.raises(DataError, match=f"val.json changed .* {ONE[:12]}.* cached.*--revision {TWO}"):
        fetch("paper")
    assert resolve("paper") == first and load_rows("paper")[0]["prompt"] == "harmless 0"
    done = fetch("paper", TWO)
    assert (done.state, done.revision) == ("replaced", TWO) and load_rows("paper")[0]["prompt"] == "other 0"


def test_a_damaged_copy_comes_back_only_as_it_was(server: Server) -> None:
    path = fetch("paper").path
    path.write_bytes(b"[]")
    assert check("paper").problem
    server.routes[raw(ONE)] = Reply(paper("other"))
    with pytest.raises(DataError, match=r"changed .* under the same revision"):
        fetch("paper")
    assert path.read_bytes() == b"[]"
    server.routes[raw(ONE)] = Reply(paper())
    assert fetch("paper").state == "repaired" and check("paper").cached
    xs = fetch("xstest").path
    xs.unlink()
    assert fetch("xstest").path == xs and check("xstest").cached


def test_a_gated_set_and_the_way_of_the_token(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = f"/datasets/{SORRY}/resolve/{ONE}/question.jsonl"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with Server({"/blob": Reply(question("base"))}) as other:
        server.routes[base] = _to(f"{other.url}/blob")
        with pytest.raises(DataError, match="neither https nor a configured host; not followed"):
            fetch("sorry_bench")
        assert other.seen == [] and kept(tmp_path / "cache") == []
        monkeypatch.setenv("PSYCHOSAFE_GITHUB_RAW", other.url)  # now a host that redirects may lead to
        done = fetch("sorry_bench")
        assert other.seen == [("/blob", None)]
    assert {token for _, token in server.seen} == {f"Bearer {TOKEN}"}
    assert done.files == 2 and "20 optional files" in done.note
    assert [r["prompt"] for r in load_rows("sorry_bench", file=STYLE)[:1]] == ["ascii 0"]
    assert resolve("sorry_bench", "question_slang.jsonl") is None
    server.seen.clear()
    monkeypatch.setenv("PSYCHOSAFE_GITHUB_RAW", f"http://localhost:{server.url.rsplit(':', 1)[1]}")
    fetch("paper")  # the same server under another name is another origin
    assert [token for path, token in server.seen if "val.json" in path] == [None]
    assert not any(TOKEN.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert TOKEN not in "".join(capsys.readouterr())


@pytest.mark.parametrize(("status", "says"), [(401, "does not know the token"), (403, "no access .* accept the terms")])
def test_a_token_that_does_not_help(server: Server, monkeypatch: pytest.MonkeyPatch, status: int, says: str) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    _set(server, f"{ONE}/question.jsonl", Reply(status=status))
    with pytest.raises(DataError, match=says) as error:
        fetch("sorry_bench")
    assert TOKEN not in "".join(traceback.format_exception(error.value))
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\nX: y")
    with pytest.raises(DataError, match="set it again") as error:
        fetch("sorry_bench")
    assert TOKEN not in "".join(traceback.format_exception(error.value))


def test_the_token_never_goes_in_clear_over_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for url, sent in (("http://mirror.example", False), ("https://mirror.example", True)):
        monkeypatch.setenv("HF_ENDPOINT", url)
        assert bool(download_module._token(download_module._origin(f"{url}/x"))) is sent
        assert not download_module._token(download_module._origin("https://mirror.example.evil.example/x"))
        assert not download_module._token(download_module._origin("https://mirror.example:444/x"))


def test_a_hub_data_set_by_its_id(server: Server) -> None:
    rows = b"q,k\nWhy?,a\n"
    put_hub(server, "owner/one", {"data/train.csv": rows, "dataset_infos.json": b"{}"})
    assert fetch("owner/one").path.name == "data.csv"
    assert load_rows("owner/one", {"prompt": "q", "id": "k"})[0]["prompt"] == "Why?"
    put_hub(server, "owner/two", {"a.csv": rows, "b.csv": rows})
    with pytest.raises(DataError, match=r"say which file, as owner/two:FILE; it has a\.csv, b\.csv"):
        fetch("owner/two")
    with pytest.raises(DataError, match=r"has no file 'c\.csv'"):
        fetch("owner/two:c.csv")
    assert fetch("owner/two:b.csv").files == 1 and check("owner/two:b.csv").cached
    put_hub(server, "owner/bad", {"../../../etc/x.csv": rows})
    with pytest.raises(DataError, match="cannot be read; name a file"):
        fetch("owner/bad")
    listed = json.loads(CliRunner().invoke(data_command, ["list", "--json"]).output)
    assert {"owner/one", "owner/two:b.csv"} <= {s["set"] for s in listed if s["cached"]}


def test_a_cache_that_cannot_be_written(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache_module.os, "fsync", full)
        with pytest.raises(DataError, match=r"no space left in .* set PSYCHOSAFE_DATA"):
            fetch("sorry_bench")
    assert kept(tmp_path / "cache") == []
    # In the middle of several files, and stopped by the user: what was written before goes, too.
    for ex in (OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()):
        synced = iter([None, ex])

        def second(_: int, synced: Iterator[BaseException | None] = synced) -> None:
            if (now := next(synced)) is not None:
                raise now

        with monkeypatch.context() as patch:
            patch.setattr(cache_module.os, "fsync", second)
            with pytest.raises(DataError if isinstance(ex, OSError) else KeyboardInterrupt):
                fetch("sorry_bench")
        assert kept(tmp_path / "cache") == [] and next(synced, "both") == "both"
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("PSYCHOSAFE_DATA", str(tmp_path / "file/cache"))
    with pytest.raises(DataError, match=r"cannot write to .* set PSYCHOSAFE_DATA"):
        fetch("paper")


def start(code: str) -> subprocess.Popen[str]:
    code = "import os, signal\nfrom evals.data import fetch\n" + code
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, stdout=subprocess.PIPE)


@pytest.mark.process
def test_killed_between_download_and_move(server: Server, tmp_path: Path) -> None:
    process = start("os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\nfetch('paper')")
    process.communicate(timeout=60)
    assert process.returncode == -9
    assert resolve("paper") is None and check("paper").missing
    assert any(".part-" in name for name in kept(tmp_path / "cache"))
    assert fetch("paper").state == "fetched"
    assert not any(".part-" in name for name in kept(tmp_path / "cache"))


def test_a_set_that_another_is_fetching_is_waited_for_and_not_for_ever(server: Server) -> None:
    with (
        cache_module.lock(SETS["paper"]),
        pytest.raises(DataError, match="another process is fetching paper; wait for it, or end it"),
        cache_module.lock(SETS["paper"], wait=0.1),
    ):
        pass
    with cache_module.lock(SETS["paper"], wait=0):
        assert kept(cache_module.cache_dir()) == []


def test_answers_that_are_no_http_and_names_that_are_no_hosts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            connection, _ = odd.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"no status line\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(
            Unreachable, match=r"127\.0\.0\.1: the answer was cut short \(BadStatusLine\); try again later"
        ):
            get(f"http://127.0.0.1:{odd.getsockname()[1]}/x", 10, limits=QUICK)
        answering.join()
    with pytest.raises(DataError, match=r"is not a host name; check the address"):
        get(f"http://{'a' * 64}.example/x", 10, limits=QUICK)


@pytest.mark.process
def test_many_processes_fetch_at_once(server: Server) -> None:
    server.routes[raw(ONE)] = Reply(paper(), wait=1.5)
    crowd = [start("print(fetch('paper').state)") for _ in range(4)]
    states = [process.communicate(timeout=60)[0].strip() for process in crowd]
    assert sorted(states) == ["fetched", "unchanged", "unchanged", "unchanged"]
    assert check("paper").cached and server.count("val.json") == 1


def test_commands(server: Server) -> None:
    result = CliRunner().invoke(data_command, ["fetch", "xstest", "nope", "paper"])
    assert (
        result.exit_code == 1 and "failed    no data set 'nope'" in result.output
    )  # the others are fetched all the same
    assert result.output.count("fetched   ") == 2
    shown = {s["set"]: s for s in json.loads(CliRunner().invoke(data_command, ["list", "--json"]).output)}
    assert shown["paper"]["revision"] == ONE and shown["xstest"]["cached"] and not shown["sorry_bench"]["cached"]
    assert CliRunner().invoke(data_command, ["check"]).exit_code == 0
    path = resolve("xstest")
    assert path
    path.write_bytes(path.read_bytes()[:-5])
    result = CliRunner().invoke(data_command, ["check", "--json"])
    assert result.exit_code == 1 and [s["set"] for s in json.loads(result.output) if s["problem"]] == ["xstest"]
    assert CliRunner().invoke(data_command, ["fetch", "paper", "--revision", "../x"]).exit_code == 1
    # A copy that is good stays good, and the user is told that nobody could be asked whether there is a newer one.
    _set(server, "commits", Reply(status=404))
    result = CliRunner().invoke(data_command, ["fetch", "paper"])
    assert result.exit_code == 0 and result.stdout.startswith("unchanged paper  (1 file, revision 111111111111)")
    assert "note: " in result.stderr and "could not be asked" in result.stderr


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/prefix/")
    assert base_url("HF_ENDPOINT") == "https://hub.example/prefix"
    for bad in ("file:///etc", "ftp://x", "hub.example", "https://", "http://[", "http://x:port", "http://x?y=1"):
        monkeypatch.setenv("HF_ENDPOINT", bad)
        with pytest.raises(DataError, match="address"):
            base_url("HF_ENDPOINT")
    monkeypatch.setenv("HF_ENDPOINT", "https://user:pass-word@hub.example")
    with pytest.raises(DataError, match="user name or password") as error:
        base_url("HF_ENDPOINT")
    assert "pass-word" not in str(error.value)
    monkeypatch.delenv("HF_ENDPOINT")
    with socket.create_server(("127.0.0.1", 0)) as busy, pytest.raises(Unreachable, match="too slow"):
        get(f"http://127.0.0.1:{busy.getsockname()[1]}/x", 10, limits=QUICK)  # it accepts and never answers
