import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from archive import sealing
from archive.models import MessageText
from portal.people.models import Employee
from tests.ledger.checker import checked  # noqa: F401 - a fixture

DATA = Path(__file__).parent / "data"
FEED, STATE = DATA / "wecom-messages.jsonl", DATA / "wecom-state.json"
FRIDAY_EVENING = datetime(2026, 10, 16, 10, tzinfo=UTC)  # 18:00 in Shanghai
CLIENT = "wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01"
OTHER_CLIENT = "wmEx4mPlEAAc0nTaCtTw0AAAAAAAAA02"
ROBOT = "wbEx4mPlEAAr0b0tAAAAAAAAAAAAAA01"
ROOM = "wrEx4mPlEAAr00mCl1entAAAAAAAAA01"


@pytest.fixture
def staff(make_employee) -> dict[str, Employee]:
    """The six employees of the sample, by userid."""
    with (DATA / "wecom-employees.csv").open(encoding="utf-8") as file:
        return {
            row["userid"]: make_employee(
                employee_no=row["employee_no"],
                wecom_userid=row["userid"],
                name_en=row["name_en"],
                name_zh=row["name_zh"],
                email=row["email"],
            )
            for row in csv.DictReader(file)
        }


@pytest.fixture
def run_import(db) -> Callable[..., dict]:
    """Read a feed with the real command. Return its counts."""

    def run(feed: Path | list, *, source: str = "wecom", **options) -> dict:
        out = io.StringIO()
        call_command("import_archive", str(feed), source=source, as_json=True, stdout=out, **options)
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def write_feed(tmp_path) -> Callable[..., Path]:
    """Write lines (dicts, text or bytes) to a feed file."""

    def write(lines: list, name: str = "feed.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(as_bytes(line) + b"\n" for line in lines))
        return path

    return write


@pytest.fixture
def deliver(run_import, tmp_path) -> Callable[..., dict]:
    """Write a delivery to a file, or a folder of files, and import it with the real command."""

    def run(content: bytes | dict[str, bytes], name: str = "delivery", mapping: dict | None = None, **options) -> dict:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            for file, raw in content.items():
                (path / file).parent.mkdir(parents=True, exist_ok=True)
                (path / file).write_bytes(raw)
        if mapping is not None:
            told = tmp_path / "mapping.json"
            told.write_text(json.dumps(mapping), encoding="utf-8")
            options["mapping"] = told
        return run_import(path, **{"source": "journal", "kind": "mail", **options})

    return run


def as_bytes(line: dict | str | bytes) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)).encode()


def at(day: int, hour: int = 10, minute: int = 0, month: int = 10) -> int:
    """A moment of 2026 in Shanghai, in milliseconds."""
    return int(datetime(2026, month, day, hour - 8 if hour >= 8 else hour, minute, tzinfo=UTC).timestamp() * 1000)


def line(seq: int, text: str = "hello", *, sender: str = "li.na", to: tuple = ("zhangwei",), **fields) -> dict:
    """A feed line with a text message. ``pulled`` is seconds after sending; other fields go into the message."""
    sent = fields.pop("sent", at(12, 10) + seq * 1000)
    pulled = fields.pop("pulled", 40)
    message = {
        "msgid": f"{7000 + seq}_{sent}",
        "action": "send",
        "from": sender,
        "tolist": list(to),
        "roomid": "",
        "msgtime": sent,
        "msgtype": "text",
        "text": {"content": text},
        **fields,
    }
    found = {"seq": seq, "publickey_ver": 1, "msg": message}
    return found if pulled is None else {**found, "pulled_at": sent + pulled * 1000}


def words_of(text: MessageText) -> str:
    """The words that were kept of a message, opened with the site's own key."""
    return sealing.unseal(text.sealed, text.key_id).decode()


@pytest.fixture
def offices(make_office, make_employee) -> dict[str, Employee]:
    """One employee under each law that has an office, by userid."""
    from tests.archive.keeping import HANDLES  # which is furnished from here

    return {
        handle: make_employee(wecom_userid=handle, office=make_office(jurisdiction=place))
        for handle, place in HANDLES.items()
    }


@pytest.fixture
def two_officers(make_employee) -> tuple[Employee, Employee]:
    """Two people of compliance: who asks, and who approves."""
    return make_employee(roles=("Compliance",)), make_employee(roles=("Compliance",))


@pytest.fixture
def old_talk(offices, run_import, write_feed) -> list[dict]:
    """Messages of all ages under several laws. On 16 October 2026 numbers 1, 2, 4 and 9 are over."""
    from tests.archive.keeping import HK_OVER, UK_OVER, old

    spring = date(2018, 3, 1)
    lines = [
        old(1, UK_OVER, to=(CLIENT,)),
        old(2, spring, to=("us.smith",)),
        old(3, UK_OVER),  # a colleague in Hong Kong took part: seven years
        old(4, HK_OVER, sender="hk.lee", to=(CLIENT,)),
        old(5, spring, sender="cn.wang", to=("uk.jones",)),  # twenty years
        old(6, spring, sender="sg.tan", to=("uk.jones",)),  # no schedule
        old(7, spring, sender=CLIENT, to=("former.one",)),  # no employee
        old(8, UK_OVER + timedelta(1), to=(CLIENT,)),  # the first day that is not over
        old(9, spring + timedelta(1), to=(CLIENT,), roomid=ROOM),
        old(10, date(2026, 10, 1), to=(CLIENT,)),
    ]
    run_import(write_feed(lines))
    return lines
