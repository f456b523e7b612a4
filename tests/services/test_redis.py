"""What only a real Redis can answer: do processes share it, does a ring reach its worker, and what if it is away?"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import cache, caches
from django.test import RequestFactory
from redis import Redis

from portal import caching, engines
from portal.limits import may_knock

pytestmark = pytest.mark.services
ROOT = Path(__file__).parents[2]

KNOCKS = """
import django
django.setup()
from django.conf import settings
from django.core.cache import cache
from django.test import RequestFactory
from portal.limits import may_knock
request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
print(sum(may_knock(request, "door", most=5, seconds=600) for _ in range(10)))
"""


def python(code: str, **changes: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", **changes}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603


def test_three_processes_share_one_limit():
    url = settings.CACHES["default"]["LOCATION"]
    answers = [int(python(KNOCKS, REDIS_URL=url).stdout) for _ in range(3)]
    assert answers == [5, 0, 0]
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    assert not may_knock(request, "door", most=5, seconds=600)


@pytest.fixture
def broker(monkeypatch):
    """A database of the real Redis for rings alone, emptied before and after."""
    base = settings.REDIS_URL.rsplit("/", 1)[0]
    url = f"{base}/{40 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))}"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        yield redis, url
        redis.flushdb()


RINGS = """
import django
django.setup()
from portal.jobs.services import ring
for kind in ("archive.tasks.run_import", "training.tasks.render_certificate", "portal.ledger.tasks.deliver", "x.y.z"):
    ring(kind, 7)
"""


def test_every_kind_of_work_waits_in_the_queue_of_its_workers(broker):
    redis, url = broker
    python(RINGS, REDIS_URL=url)
    waiting = {queue.name: redis.llen(queue.name) for queue in engines.queues()}
    assert waiting == {"quick": 1, "imports": 1, "certificates": 1, "mail": 1}


def test_a_worker_of_one_queue_takes_what_is_rung_there_and_leaves_the_rest(broker, tmp_path):
    redis, url = broker
    python(RINGS.replace("x.y.z", "portal.people.tasks.retire_leavers"), REDIS_URL=url)
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", "-Q", "mail", "-c", "1", "-P", "solo"]
    environment = {**os.environ, "REDIS_URL": url, "DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    log = (tmp_path / "worker.log").open("w")
    with log, subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log) as worker:  # noqa: S603
        try:
            for _ in range(600):
                if redis.llen("mail") == 0:
                    break
                with pytest.raises(subprocess.TimeoutExpired):
                    worker.wait(0.1)
            assert redis.llen("mail") == 0, (tmp_path / "worker.log").read_text()
        finally:
            worker.terminate()
            worker.wait(60)
    assert [redis.llen(name) for name in ("imports", "certificates")] == [1, 1]


@pytest.fixture
def redis_away(settings):
    """The cache at a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = engines.caches(f"redis://127.0.0.1:{port}/0")
    # In memory, so that the test needs no table; the site has the one in its database.
    told[caching.STAND_IN] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = told
    yield
    caching.rest.end()


def test_while_redis_is_away_the_stand_in_counts(redis_away):
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.8")
    assert [may_knock(request, "door", most=2, seconds=600) for _ in range(3)] == [True, True, False]
    cache.set("figure", 41)
    assert cache.incr("figure") == 42
    assert caches[caching.STAND_IN].get("figure") == 42
    assert caching.rest.is_on()


def test_rings_are_lost_without_harm_while_redis_is_away(redis_away):
    answer = python(RINGS, REDIS_URL=settings.CACHES["default"]["LOCATION"])
    assert answer.stderr.count("could not ring for job 7") == 4


def test_results_are_kept_in_redis_too():
    assert current_app.conf.result_backend == settings.REDIS_URL
