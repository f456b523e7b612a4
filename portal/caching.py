"""A cache in Redis that a site can go on without: while Redis is away, the table in the database stands in for it.

What is in it is counters of rate limits and figures that can be counted again, so nothing is lost by changing over;
and both are shared by all processes, so that nobody gets more guesses.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSilent

logger = logging.getLogger(__name__)

REST_SECONDS = 5.0  # after a failure nobody asks Redis for so long: a page must not wait for it again and again
STAND_IN = "stand-in"


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
