"""What an import holds in memory is bounded by its batches and by a chunk of the staff, never by feed or firm."""

import importlib
import pkgutil

import pytest
from django.db import connection

import archive
from archive import services
from archive.models import Identity, Message, Participant
from archive.services import parts, records, running, staff_list
from tests.archive.conftest import at, line

pytestmark = pytest.mark.django_db
PARAMETERS = 1_000  # of one statement: a driver keeps statements with the values they were last given
CACHED = 64  # entries of a cache of the room: what is kept for the whole process


def modules() -> list:
    found = pkgutil.walk_packages(archive.__path__, "archive.")
    return [importlib.import_module(one.name) for one in found if ".migrations" not in one.name]


def test_every_cache_of_the_room_is_small():
    caches = {
        f"{module.__name__}.{name}": thing.cache_info().maxsize
        for module in modules()
        for name, thing in vars(module).items()
        if hasattr(thing, "cache_info") and thing.__module__ == module.__name__
    }
    assert caches
    assert {name: size for name, size in caches.items() if size is None or size > CACHED} == {}


def test_few_statements_are_kept_by_the_driver():
    if connection.vendor == "sqlite":
        assert connection.settings_dict["OPTIONS"]["cached_statements"] <= CACHED
    else:
        assert connection.settings_dict["OPTIONS"].get("prepare_threshold") is None


@pytest.fixture
def statements():
    """Everything that is executed with one set of values meanwhile: (text, values)."""
    seen = []

    def note(execute, sql, params, many, context):
        if not many:
            seen.append((sql, params or ()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def crowd(lines: int) -> list[dict]:
    """So many lines, each between two handles that nobody has seen, and an answer of a new contact now and then."""
    told = [line(n, sender=f"a{n:05}", to=(f"wm{'x' * 20}{n:08}",), sent=at(12) + n) for n in range(1, lines + 1)]
    for one in told[::2]:
        contact = one["msg"]["tolist"][0]
        word = {"userid": contact, "agree_time": one["msg"]["msgtime"]}
        one["msg"] |= {"from": contact, "tolist": [one["msg"]["from"]], "msgtype": "agree", "agree": word}
    return told


def test_no_statement_grows_with_the_handles_of_a_batch(run_import, write_feed, statements):
    counts = run_import(write_feed(crowd(running.BATCH_LINES)))
    assert counts["stored"] == running.BATCH_LINES
    most, told = max((len(params), sql[:200]) for sql, params in statements if not sql.startswith("INSERT"))
    assert most <= PARAMETERS, told


def test_the_staff_list_is_compared_chunk_by_chunk(make_employee, monkeypatch):
    monkeypatch.setattr(staff_list, "CHUNK", 10)
    for n in range(35):
        make_employee(wecom_userid=f"a{n:05}")
    sizes, settle = [], staff_list._chunks
    monkeypatch.setattr(staff_list, "_chunks", lambda told: (sizes.append(len(one)) or one for one in settle(told)))
    services.sync_identities(by="system:test")
    assert Identity.objects.count() == 35
    assert sizes[:4] == [10, 10, 10, 5]
    assert max(sizes) == 10


def test_messages_of_a_month_are_read_some_at_a_time(run_import, write_feed, make_employee, monkeypatch):
    """The rows of messages and what is looked up for them: of each only what it adds to the figures stays."""
    make_employee(wecom_userid="li.na")
    make_employee(wecom_userid="zhangwei")
    sizes, signals = [], parts._signals
    monkeypatch.setattr(parts, "ROWS", 4)
    monkeypatch.setattr(parts, "_signals", lambda pks: sizes.append(len(pks)) or signals(pks))
    run_import(write_feed([line(n, "加我个人微信聊" if n % 3 == 0 else "hello") for n in range(1, 11)]))
    assert sizes == [4, 4, 2]
    assert records.recompute_due(by="system:test") == 0


def test_a_changed_list_of_staff_is_matched_chunk_by_chunk(run_import, write_feed, make_employee, monkeypatch):
    run_import(write_feed(crowd(12)))
    assert not Participant.objects.exclude(employee=None).exists()
    monkeypatch.setattr(staff_list, "CHUNK", 3)
    for n in range(1, 13):
        make_employee(wecom_userid=f"a{n:05}")
    sizes, rematch = [], staff_list.rematch
    monkeypatch.setattr(staff_list, "rematch", lambda some: sizes.append(len(some)) or rematch(some))
    touched = services.sync_identities(by="system:test")
    assert sizes == [3, 3, 3, 3]
    assert touched == set(Message.objects.values_list("pk", flat=True))
    assert Participant.objects.exclude(employee=None).count() == 12
    assert services.sync_identities(by="system:test") == set()
