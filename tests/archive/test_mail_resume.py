"""Mails and tables that are cut off, divided and shuffled: the same rows in the end."""

import gzip
import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive.models import Import, Message, SetAside
from archive.services import running, storing
from portal.ledger import services as ledger
from portal.people.models import Employee
from tests.archive.conftest import CLIENT
from tests.archive.left import undone
from tests.archive.mails import file_part, mail, mbox, multipart, part, wrapped
from tests.archive.mails import zipped as zip_of
from tests.archive.test_hostile_mails import HOSTILE, STRANGE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_people(make_employee) -> tuple[Employee, Employee]:
    li = make_employee(wecom_userid="li.na", email="li.na@example.com")
    return li, make_employee(wecom_userid="zhangwei", email="zhangwei@example.com")


def a_busy_week(size: int = 20, seed: int = 3) -> list[bytes]:
    """Mails with everything in them but conflicts, which depend on what comes first by their nature."""
    chance = random.Random(seed)
    people = ["li.na@example.com", "zhangwei@example.com", "client@outside.example", "new@example.com"]
    mails = []
    for n in range(size):
        sender, to = chance.sample(people, 2)
        hour, minute = chance.randrange(1, 12), n % 60
        headers = {
            "From": sender,
            "To": to,
            "Message_ID": f"<{n}@x>" if n % 7 else None,
            "Date": f"{chance.choice([12, 13, 30])} Oct 2026 {hour:02}:{minute:02}:00 +0000",
            "Subject": f"mail {n}",
        }
        words = chance.choice(["hello", "加我个人微信聊", "wxid_ab12cd34ef", "看完就删"]).encode()
        one = multipart(part(words), file_part(b"%d" % n), **headers) if n % 3 else mail(words, **headers)
        mails.append(wrapped(one, f"To: {to}\nBcc: boss@example.com\n") if n % 4 == 0 else one)
    return [*mails, mails[1], b"no mail at all"]


def a_table(size: int = 20, seed: int = 3) -> list[str]:
    chance = random.Random(seed)
    people = ["li.na", "zhangwei", CLIENT, "318", "new"]
    rows = []
    for n in range(size):
        sender, to = chance.sample(people, 2)
        words = chance.choice(["hello", "加我个人微信聊", 'two\n"" lines', "看完就删"])
        back = f"2026-10-13T0{n % 9}:05:00Z" if n % 5 == 0 else ""
        rows.append(f'm{n},2026-10-{12 + n % 2}T0{n % 9}:00:00Z,{sender},{to},"{words}",{back}')
    return [*rows, rows[1], "too,few", "x,not a time,li.na,zhangwei,x,"]


TABLE_HEAD = "message_id,sent_at,sender,recipients,text,recalled_at"


def as_table(some: list[str]) -> bytes:
    return "\n".join([TABLE_HEAD, *some, ""]).encode()


MAILDIR = ("cur", "new")
DELIVERIES = {
    "mbox": lambda: (mbox(a_busy_week()), {"kind": "mail"}),
    "packed mbox": lambda: (gzip.compress(mbox(a_busy_week())), {"kind": "mail"}),
    "zip": lambda: (zip_of((f"{n}.eml", one) for n, one in enumerate(a_busy_week())), {"kind": "mail"}),
    "folder": lambda: ({f"{n % 3}/{n}.eml": one for n, one in enumerate(a_busy_week())}, {"kind": "mail"}),
    "maildir": lambda: ({f"{MAILDIR[n % 2]}/{n}": one for n, one in enumerate(a_busy_week())}, {"kind": "mail"}),
    "csv": lambda: (as_table(a_table()), {"kind": "csv"}),
    "packed csv": lambda: (gzip.compress(as_table(a_table())), {"kind": "csv"}),
}


class Killed(BaseException):
    """Like a signal: nothing may catch it."""


@pytest.mark.parametrize("name", DELIVERIES)
def test_an_import_that_is_killed_in_any_batch_goes_on_and_ends_with_the_same_rows(deliver, monkeypatch, name):
    """Dies in each batch in turn, when its rows are written and nothing is committed."""
    monkeypatch.setattr(running, "BATCH_LINES", 4)
    content, options = DELIVERIES[name]()
    undisturbed: dict = {}
    expected = undone(lambda: undisturbed.update(deliver(content, **options)))
    assert undisturbed["lines"] >= 22
    assert undisturbed["set_aside"] >= 1
    batches = -(-undisturbed["lines"] // 4)
    for dies_at in range(1, batches + 1):

        def run(dies_at: int = dies_at) -> None:
            calls = itertools.count(1)
            with monkeypatch.context() as patch:
                real = storing._reach
                patch.setattr(storing, "_reach", lambda *args: _die_at(next(calls), dies_at, real, args))
                with pytest.raises(Killed):
                    deliver(content, **options)
            assert deliver(content, **options) == undisturbed
            assert Import.objects.count() == 1

        assert undone(run) == expected


def _die_at(call: int, dies_at: int, real: Callable, args: tuple) -> None:
    real(*args)
    if call == dies_at:
        raise Killed


def in_pieces(some: list, cuts: list[int]) -> list[list]:
    edges = [0, *sorted(cut % (len(some) + 1) for cut in cuts), len(some)]
    return [some[a:b] for a, b in itertools.pairwise(edges) if b > a]


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 40), max_size=3), st.integers(2, 9), st.data())
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes seconds: no shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_order_of_mails_and_rows_and_their_division_into_files_changes_nothing(deliver, chance, cuts, batch, data):
    mails, table = a_busy_week(), a_table()
    expected = undone(lambda: (deliver(mbox(mails)), deliver(as_table(table), source="table", kind="csv")))
    mails_shuffled, table_shuffled = chance.sample(mails, len(mails)), chance.sample(table, len(table))
    files: list[Callable] = []
    for n, some in enumerate(in_pieces(mails_shuffled, cuts)):
        shape = data.draw(st.sampled_from(["mbox", "zip", "folder", "gz"]))
        content = {
            "mbox": lambda some: mbox(some),
            "zip": lambda some: zip_of((f"{n}.eml", one) for n, one in enumerate(some)),
            "folder": lambda some: {f"{n}.eml": one for n, one in enumerate(some)},
            "gz": lambda some: gzip.compress(mbox(some)),
        }[shape](some)
        files.append(lambda n=n, content=content, shape=shape: deliver(content, f"{shape}{n}-{chance.random()}"))
    for some in in_pieces(table_shuffled, cuts):
        files.append(lambda some=some: deliver(as_table(some), "t.csv", source="table", kind="csv"))
    chance.shuffle(files)

    def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(running, "BATCH_LINES", batch)
            for act in files:
                act()

    assert undone(run) == expected


# --- everything hostile at once


def test_a_folder_of_hostile_mails_is_imported_to_its_end(deliver):
    raws = [one.values[0] for one in (*HOSTILE, *STRANGE) if len(one.values[0]) < 12_000_000]
    good = mail(Message_ID="<good@x>")
    files = {f"{n:03}.eml": raw for n, raw in enumerate(raws)}
    counts = deliver({**files, "zzz.eml": good})
    assert counts["lines"] == len(raws) + 1
    assert Message.objects.filter(msgid="good@x").exists()
    reasons = set(SetAside.objects.values_list("reason", flat=True))
    assert {"bad_member", "mail_too_large", "mail_too_many_parts", "no_sender"} <= reasons
    assert ledger.verify()[1] is None
