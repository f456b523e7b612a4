"""The table that is the cache of a site without Redis."""

import sqlite3

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection
from django.urls import reverse

from portal import engines


@pytest.fixture
def table(settings, db) -> None:
    settings.CACHES = engines.caches("")
    call_command("createcachetable")


@pytest.fixture
def no_room():
    """Let every writing to the cache's table fail, as on a full disk."""

    def refuse(execute, sql, params, many, context):
        if "portal_cache" in sql and sql.startswith(("INSERT", "UPDATE", "DELETE")):
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise OperationalError(*full.args) from full
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def test_a_key_is_added_once(table):
    assert cache.add("lock", 1, timeout=60)
    assert not cache.add("lock", 2, timeout=60)
    assert cache.get("lock") == 1
    assert cache.add("over", 1, timeout=-1)
    assert cache.add("over", 2, timeout=60)
    assert cache.get("over") == 2


def test_trying_a_write_leaves_nothing(table):
    cache._try_a_write(cache.make_key("lock"))
    assert not cache.has_key("lock")
    assert cache.add("lock", 1, timeout=60)
    cache._try_a_write(cache.make_key("lock"))  # somebody was faster
    assert cache.get("lock") == 1


def test_who_signs_in_on_a_full_disk_hears_of_the_disk_not_of_too_many_tries(table, no_room, client, make_employee):
    person = make_employee()
    client.raise_request_exception = False
    answer = client.post(reverse("account_login"), {"login": person.email, "password": "wrong"})
    assert answer.status_code == 503
    assert "There is no room to store anything just now" in answer.text
