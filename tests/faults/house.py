"""The site as it runs in a firm: web server, workers and clocks as processes, which can be killed one by one.

All of them stand on the database, broker and folder that the environment names: bin/test-faults makes these, scratch.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.faults.waiting import wait_until

ROOT = Path(__file__).parents[2]


class Process:
    """One program with its children. What it says is in ``log``."""

    def __init__(self, name: str, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            self.popen = subprocess.Popen(  # noqa: S603 - our own programs
                command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    @property
    def children(self) -> list[int]:
        """Whichever of its threads has started them."""
        found: list[int] = []
        for told in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, told.read_text().split())
        return found

    def kill(self) -> None:
        """Kill the parent alone: its children notice for themselves, or do not."""
        self.popen.kill()
        self.popen.wait()

    def kill_child(self, number: int = 0) -> int:
        """Kill one of the children and return which one it was."""
        pid = self.children[number]
        os.kill(pid, signal.SIGKILL)
        return pid

    def end(self) -> None:
        """End it with everything that it has started, as when a machine loses its power."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()

    @contextmanager
    def may_not_write_beyond(self, size: int) -> Iterator[None]:
        """Let no file of the children grow beyond so many bytes, as on a disk without room."""
        pids = self.children or [self.pid]
        hard = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE)[1] for pid in pids}
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard[pid]))
        try:
            yield
        finally:
            for pid in pids:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard[pid], hard[pid]))


class House:
    """All processes of a site. ``changes`` are variables of the environment for one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes, self.address = folder, [], f"http://127.0.0.1:{free_port()}"

    def web(
        self,
        *,
        workers: int = 2,
        address: str = "",
        log: Path | None = None,
        config: Path | None = None,
        **changes: str,
    ) -> Process:
        """Start a web server and wait until it answers. Beside the first one it needs another address."""
        address = address or self.address
        command = [
            sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", urlsplit(address).netloc,
            "--worker-class", "gthread", "--workers", str(workers), "--threads", "4", "--graceful-timeout", "5",
            "--log-level", "warning", "--no-control-socket", *(["--config", str(config)] if config else []),
        ]  # fmt: skip
        wait_until(lambda: is_free(address), "the port is free again", seconds=60)
        web = self._start("web", command, log, changes)
        wait_until(lambda: answers(address) and len(web.children) == workers, "the site answers", who=web)
        return web

    def worker(self, *, concurrency: int = 2, log: Path | None = None, **changes: str) -> Process:
        """Start a worker with children and wait until it is ready."""
        command = [
            *_celery(), "worker", "--concurrency", str(concurrency), "--hostname", f"{len(self.processes)}@%h",
            "--without-gossip", "--without-mingle", "--loglevel", "warning",
        ]  # fmt: skip
        worker = self._start("worker", command, log, changes)
        wait_until(lambda: len(worker.children) >= concurrency, "the worker has its children", who=worker)
        return worker

    def beat(self, number: int = 1, **changes: str) -> Process:
        schedule = ["--schedule", str(self.folder / f"beat-{number}")]  # as each machine has its own
        return self._start("beat", [*_celery(), "beat", "--pidfile", "", *schedule], None, changes)

    def end(self) -> None:
        for process in self.processes:
            process.end()

    def _start(self, name: str, command: list[str], log: Path | None, changes: dict[str, str]) -> Process:
        log = log or self.folder / f"{len(self.processes)}-{name}.log"
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "ERROR", **changes}
        process = Process(name, command, log, environment)
        self.processes.append(process)
        return process


def _celery() -> list[str]:
    as_root = "ignore:You're running the worker with superuser"  # as a container of CI does
    return [sys.executable, "-W", as_root, "-m", "celery", "--quiet", "-A", "portal"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(address: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(address).port)) != 0


def answers(address: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{address}/healthz", timeout=5).status_code == 200
    return False


def clock_off(by: timedelta) -> dict[str, str]:
    """Return what sets the clock of a process off."""
    folder = Path(__file__).parent / "clock_off"
    return {"PYTHONPATH": str(folder), "CLOCK_OFF_SECONDS": str(by.total_seconds())}
