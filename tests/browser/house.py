"""The whole site as it runs in truth: its own data, web server, worker and clock, in a folder of its own."""

import csv
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
HERE_DAYS = 10  # since the newcomer came
PASSWORD = "wechat-archive-demo"  # of the demo firm's printed sign-ins


@dataclass(frozen=True)
class Newcomer:
    """Somebody whom HR's next file brings: the story is hers."""

    number: str = "D9001"
    name_en: str = "Wei Jia"
    name_zh: str = "魏佳"
    email: str = "wei.jia@example.com"
    userid: str = "wei.jia"
    password: str = "eleven blue kites over Ningbo"

    @property
    def name(self) -> str:
        return f"{self.name_en} {self.name_zh}"


class House:
    """A site in ``folder``. Everything in it is made by the commands that an administrator types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        settings = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
        self.env = {name: value for name, value in os.environ.items() if name not in settings} | {
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEY": secrets.token_urlsafe(60),
            "HTTPS": "0",
            "SITE_URL": self.address,
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        self.data = folder / "data"

    def command(self, *words: str) -> str:
        """Run a Python program of the site to its end, and return what it printed."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, *words], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def furnish(self) -> None:
        """Set up the database and the small demo firm."""
        # `make check` has the system checks; each command would take seconds for them.
        self.command("manage.py", "migrate", "--verbosity", "0", "--skip-checks")
        self.command("manage.py", "createcachetable")
        self.command("manage.py", "collectstatic", "--no-input", "--verbosity", "0")
        self.command("manage.py", "load_courses", "--skip-checks")
        self.command("manage.py", "make_demo", "--people", "24", "--weeks", "3")

    def hire(self, newcomer: Newcomer) -> None:
        """Read HR's next file, with one more person, and the archive's of her first days with a client."""
        self.command("manage.py", "import_people", self._hr_file(newcomer), "--write")
        since = (datetime.now(UTC) - timedelta(days=HERE_DAYS)).date().isoformat()
        seats = self._written(
            "seats.json", json.dumps({"get_permit_user_list": {"errcode": 0, "ids": [newcomer.userid]}})
        )
        self.command("manage.py", "import_archive_state", seats, "--source", "newcomers", "--holds-from", since)
        self.command("manage.py", "import_archive", self._feed(newcomer), "--source", "newcomers")
        # What the clock does each day; a worker will find it waiting.
        self.command("-m", "celery", "-A", "portal", "call", "training.tasks.apply_rules")

    def _written(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def _hr_file(self, newcomer: Newcomer) -> str:
        """Write HR's file of the newcomer, who reports to the demo's manager and came some days ago."""
        listed = [row for file in (self.data / "demo" / "hr").glob("*.csv") for row in _rows(file)]
        manager = next(row for row in listed if row["email"] == "manager@example.com")
        row = {
            "employee_no": newcomer.number,
            "name_en": newcomer.name_en,
            "name_zh": newcomer.name_zh,
            "email": newcomer.email,
            "userid": newcomer.userid,
            "unit": manager["unit"],
            "office": manager["office"],
            "title": "Client Adviser",
            "title_zh": "理财顾问",
            "manager_no": manager["employee_no"],
            "joined_on": (datetime.now(UTC) - timedelta(days=HERE_DAYS)).date().isoformat(),
        }
        return self._written("newcomers.csv", f"{','.join(row)}\n{','.join(row.values())}\n")

    def _feed(self, newcomer: Newcomer) -> str:
        """Write a WeCom feed: a client agrees and writes twice, the newcomer answers three times. A minute apart."""
        client, me = "wmQk3xCQAAStoryClientAAAAAAAAAAAA", newcomer.userid
        began = datetime.now(UTC) - timedelta(minutes=10)
        said = [
            (client, me, {"msgtype": "agree", "agree": {"userid": client, "agree_time": _ms(began)}}),
            (client, me, _text("Good morning, may I see the quarterly report?")),
            (me, client, _text("Good morning. It comes by mail in an hour.")),
            (me, client, _text("It is on its way.")),
            (client, me, _text("谢谢!")),
            (me, client, _text("不客气。")),
        ]
        lines = []
        for number, (sender, receiver, content) in enumerate(said, start=1):
            at = _ms(began + timedelta(minutes=number))
            message = {"msgid": f"{7000000000 + number}_{at}_external", "action": "send", "from": sender}
            message |= {"tolist": [receiver], "roomid": "", "msgtime": at, **content}
            lines.append(json.dumps({"seq": number, "publickey_ver": 1, "pulled_at": at + 30_000, "msg": message}))
        return self._written("newcomers.jsonl", "".join(f"{line}\n" for line in lines))

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Run web server, worker and clock, as `make demo` does; afterwards nothing of them is left."""
        with self.log.open("wb") as log:
            serve = subprocess.Popen(
                [sys.executable, "bin/serve.py", "run"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
            try:
                self._wait_until_it_answers(serve)
                yield
            finally:
                serve.send_signal(signal.SIGTERM)
                code = serve.wait(timeout=60)
        assert code == 0, self.log.read_text(encoding="utf-8")
        self.command("bin/serve.py", "check")  # refuses while any of the processes lives

    def _wait_until_it_answers(self, serve: subprocess.Popen) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _is_well(self.port):
            ended = serve.poll() is not None or time.monotonic() > deadline
            assert not ended, self.log.read_text(encoding="utf-8")
            time.sleep(0.2)

    @contextmanager
    def worker_held_up(self) -> Iterator[None]:
        """Stop the worker where it stands, as a machine does that is too busy, and let it go on afterwards."""
        noted = (self.data / "running").read_text(encoding="utf-8")
        _serve, _web, worker, _clock = (int(number) for number in noted.rpartition("kill ")[2].split())
        os.killpg(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(worker, signal.SIGCONT)

    def link_mailed_to(self, address: str) -> str:
        """Return the link in the mail that this person got."""
        mails = [file.read_text(encoding="utf-8") for file in (self.data / "mail").glob("*")]
        [mail] = [mail for mail in mails if f"To: {address}" in mail]
        [link] = re.findall(rf"{re.escape(self.address)}\S+", mail)
        return link

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_well(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _text(words: str) -> dict:
    return {"msgtype": "text", "text": {"content": words}}
