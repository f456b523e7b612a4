"""What the site stands on, stopped and started again: the database, the broker."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from tests.faults.waiting import wait_until

IS_POSTGRES = connection.vendor == "postgresql"


class Postgres:
    """The one that bin/test-faults started. As root its programs run as the user postgres, as they insist."""

    def __init__(self) -> None:
        self.home, self.tools = Path(os.environ["POSTGRES_HOME"]), Path(os.environ["POSTGRES_TOOLS"])
        told = shlex.split((self.home / "data" / "postmaster.opts").read_text())
        self.options = shlex.join(told[told.index("-D") + 2 :])

    def stop(self) -> None:
        """Stop it as a crash does: nothing is finished, nothing is written down."""
        self._control("stop", "--mode", "immediate")

    def start(self) -> None:
        self._control("start", "--options", self.options, "--log", str(self.home / "log"), "--silent")
        wait_until(self._answers, "the database answers")

    def _answers(self) -> bool:
        try:
            psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _control(self, verb: str, *more: str) -> None:
        command = [str(self.tools / "pg_ctl"), verb, "--wait", "--pgdata", str(self.home / "data"), *more]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command]
        subprocess.run(command, cwd=self.home, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


class RedisBroker:
    """A Redis that keeps nothing: what was in it when it went is gone."""

    def __init__(self) -> None:
        self.pid, self.popen = int(os.environ["REDIS_PID"]), None

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        if self.popen:
            self.popen.wait()
        wait_until(lambda: not self._answers(), "Redis is away")

    def start(self) -> None:
        url = urlsplit(settings.REDIS_URL)
        told = ["bind 127.0.0.1", f"port {url.port}", f"requirepass {url.password}", 'save ""', "appendonly no"]
        program = shutil.which("redis-server")
        self.popen = subprocess.Popen(  # noqa: S603
            [program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.popen.stdin.write("\n".join([*told, "databases 64"]))
        self.popen.stdin.close()
        self.pid = self.popen.pid
        os.environ["REDIS_PID"] = str(self.pid)
        wait_until(self._answers, "Redis answers")

    def _answers(self) -> bool:
        try:
            with Redis.from_url(settings.REDIS_URL) as redis:
                return redis.ping()
        except RedisError:
            return False


class FolderBroker:
    """The folder of messages, which somebody deletes with all that is in it."""

    def __init__(self) -> None:
        self.folder = Path(settings.DATA_DIR) / "broker"

    def stop(self) -> None:
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Nobody puts it back: the site does."""
