"""bin/serve.py, which runs the demo: its processes start together and end together, with all their children."""

import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BIN = Path(__file__).resolve().parents[2] / "bin"
# Stands in for the real programs: two of them, each with a child that would outlive it.
STAND_IN = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(BIN)!r})
import serve
serve.GRACE_SECONDS = 1
folder = Path(sys.argv[1])
def program(name, end):
    return ["sh", "-c", f"{{end}} sleep 1234 & echo $$ $! > {{folder}}/{{name}}.pid; wait"]
sys.exit(serve.run(
    {{"one": program("one", ""), "two": program("two", sys.argv[2])}},
    serve.take_lock(folder / "running"), "http://127.0.0.1:9",
))
"""


@pytest.fixture
def run(tmp_path) -> Iterator:
    started = []

    def start(end: str = "") -> subprocess.Popen:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", STAND_IN, str(tmp_path), end],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for pid in [*(process.pid for process in started if process.poll() is None), *pids(tmp_path)]:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    for process in started:
        process.communicate()


def wait_for(what, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def pids(folder: Path) -> list[int]:
    return [int(pid) for file in folder.glob("*.pid") for pid in file.read_text(encoding="utf-8").split()]


def is_alive(pid: int) -> bool:
    """A zombie, which only waits for its parent to ask after it, is not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not (stat.exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z")
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_and_its_children(run, tmp_path, number):
    process = run()
    wait_for(lambda: len(pids(tmp_path)) == 4)
    assert all(is_alive(pid) for pid in pids(tmp_path))
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "Ended." in out
    wait_for(lambda: not any(is_alive(pid) for pid in pids(tmp_path)))


def test_one_that_will_not_end_is_killed(run, tmp_path):
    process = run(end="trap '' TERM;")
    wait_for(lambda: len(pids(tmp_path)) == 4)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    wait_for(lambda: not any(is_alive(pid) for pid in pids(tmp_path)))


def test_when_one_ends_by_itself_the_others_are_ended_and_it_is_said(run, tmp_path):
    process = run(end="sleep 0.3; exit 7;")
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err == "Error: the two ended by itself (exit code 7); so all has been ended.\n"
    wait_for(lambda: not any(is_alive(pid) for pid in pids(tmp_path)))


def test_a_second_start_on_the_same_data_is_refused(run, tmp_path):
    first = run()
    wait_for(lambda: "kill" in (tmp_path / "running").read_text(encoding="utf-8") if pids(tmp_path) else False)
    second = run()
    _, err = second.communicate(timeout=20)
    assert second.returncode == 1
    assert err.startswith("Error: the demo of this folder is running already, on http://127.0.0.1:9: end it")
    assert str(first.pid) in err


def test_the_data_stays_locked_while_a_process_lives_on_without_its_supervisor(run, tmp_path):
    first = run()
    wait_for(lambda: len(pids(tmp_path)) == 4)
    first.kill()
    first.wait()
    second = run()
    second.communicate(timeout=20)
    assert second.returncode == 1


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.syspath_prepend(BIN)
    return importlib.import_module("serve")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_taken_port_is_one_line_with_the_remedy(serve, host):
    with socket.socket() as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            serve.check_port(str(port))
    assert str(refused.value) == f"Error: port {port} is taken. Choose another: PORT={port + 1} make demo"


@pytest.mark.parametrize("port", ["", "http", "-1", "0", "65536", "80.5"])
def test_a_port_that_is_none_is_refused(serve, port):
    with pytest.raises(SystemExit, match="is not a port"):
        serve.check_port(port)


def test_a_free_port_is_taken_without_a_word(serve):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    serve.check_port(str(port))
