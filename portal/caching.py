"""The caches: a table in the database, and Redis, which a site can go on without: then the table stands in for it.

What is in it is counters of rate limits and figures that can be counted again, so nothing is lost by changing over;
and both are shared by all processes, so that nobody gets more guesses.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import IntegrityError, connections, router, transaction
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSilent

logger = logging.getLogger(__name__)

REST_SECONDS = 5.0  # after a failure nobody asks Redis for so long: a page must not wait for it again and again
STAND_IN = "stand-in"


class FrankDatabaseCache(DatabaseCache):
    """Says so when it cannot write.

    Django's answers ``add`` with False whatever the reason. A rate limit takes that for somebody else's lock and tells
    a person who signs in on a full disk that they tried too often.
    """

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None) -> bool:
        if super().add(key, value, timeout, version):
            return True
        if self.has_key(key, version):
            return False
        self._try_a_write(self.make_and_validate_key(key, version))
        return super().add(key, value, timeout, version)

    def _try_a_write(self, key: str) -> None:
        """Write a row under this key and take it back: what is wrong with writing is raised as the engine says it."""
        alias = router.db_for_write(self.cache_model_class)
        connection = connections[alias]
        table, *columns = map(connection.ops.quote_name, (self._table, "cache_key", "value", "expires"))
        now = connection.ops.adapt_datetimefield_value(timezone.now().replace(microsecond=0, tzinfo=None))
        with suppress(IntegrityError), transaction.atomic(using=alias), connection.cursor() as cursor:  # another's add
            cursor.execute(f"DELETE FROM {table} WHERE {columns[0]} = %s AND {columns[2]} <= %s", [key, now])  # noqa: S608
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES (%s, %s, %s)", [key, "", now])  # noqa: S608
            cursor.execute(f"DELETE FROM {table} WHERE {columns[0]} = %s", [key])  # noqa: S608


class _Rest:
    """Until when this process leaves Redis alone."""

    def __init__(self) -> None:
        self._until, self._lock = 0.0, threading.Lock()

    def is_on(self) -> bool:
        return time.monotonic() < self._until

    def begin(self) -> None:
        with self._lock:
            if not self.is_on():
                logger.warning("the cache is away: the database stands in for it")
            self._until = time.monotonic() + REST_SECONDS

    def end(self) -> None:
        self._until = 0.0


rest = _Rest()


def _steady(name: str) -> Callable:
    def method(self, *args, **kwargs):
        if not rest.is_on():
            try:
                return getattr(super(SteadyRedisCache, self), name)(*args, **kwargs)
            except (RedisAway, RedisSilent):
                rest.begin()
        return getattr(caches[STAND_IN], name)(*args, **kwargs)

    method.__name__ = name
    return method


class SteadyRedisCache(RedisCache):
    add = _steady("add")
    get = _steady("get")
    set = _steady("set")
    touch = _steady("touch")
    delete = _steady("delete")
    get_many = _steady("get_many")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
    has_key = _steady("has_key")
    incr = _steady("incr")
    clear = _steady("clear")
