"""Figures for those who watch the site, in the text format of Prometheus. No name of a person is in them.

How the machinery stands is looked up when it is asked for, so every process tells the same. Requests are counted by
each process for itself; with METRICS_DIR, a folder that all processes of this machine share, they are added up.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from portal.operations import looking

SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NEVER = -1  # of an age: it has never been
LEDGER = ("sound", "stale", "unverified", "unsound")

_own = CollectorRegistry()
REQUESTS = Counter("onchannel_requests", "Answers by view", ["view", "method", "status"], registry=_own)
DURATION = Histogram("onchannel_request_seconds", "Time to an answer", ["view"], buckets=SECONDS, registry=_own)


class MetricsMiddleware:
    """Count each answer by the name of its view, never by its path: paths have ids of people in them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        view = request.resolver_match.view_name if request.resolver_match else "none"
        method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
        REQUESTS.labels(view, method, f"{response.status_code // 100}xx").inc()
        DURATION.labels(view).observe(time.perf_counter() - began)
        return response


class _Machinery(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        look = looking.look()

        def age(moment: datetime | None) -> float:
            return (look.at - moment).total_seconds() if moment else NEVER

        jobs = GaugeMetricFamily(
            "onchannel_jobs", "Jobs that have not ended, and those given up", labels=["queue", "state"]
        )
        wait = GaugeMetricFamily("onchannel_job_wait_seconds", "How long the oldest due job waits", labels=["queue"])
        for queue in look.queues:
            for state in ("waiting", "running", "failed"):
                jobs.add_metric([queue.name, state], getattr(queue, state))
            wait.add_metric([queue.name], age(queue.oldest) if queue.oldest else 0)
        yield jobs
        yield wait
        heard = GaugeMetricFamily("onchannel_source_age_seconds", "Since a source was last pulled", labels=["source"])
        for name, moment in look.heard.items():
            heard.add_metric([name], age(moment))
        yield heard
        health = GaugeMetricFamily("onchannel_ledger", "What the last verification found", labels=["state"])
        for state in LEDGER:
            health.add_metric([state], look.ledger == state)
        yield health
        yield _one("onchannel_tick_age_seconds", "Since clock and workers were last seen at work", age(look.last_tick))
        yield _one("onchannel_backup_age_seconds", "Since the last backup", age(look.last_backup))
        yield _one("onchannel_seal_age_seconds", "Since the last seal", age(look.seal.at if look.seal else None))
        yield _one("onchannel_unsealed_entries", "Entries that no seal covers yet", look.unsealed)
        yield _one("onchannel_undelivered_seals", "Seals that have not reached a place", look.undelivered)
        yield _one("onchannel_seals_in_trouble", "1: not made, not sent, or gone", look.seals != "sound")
        yield _one("onchannel_overdue_assignments", "Open assignments past their due day", look.overdue)


def _one(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value=value)


def text() -> bytes:
    """Return all figures, ready to be handed out."""
    registry = CollectorRegistry()
    registry.register(_Machinery())
    if settings.METRICS_DIR:
        MultiProcessCollector(registry, settings.METRICS_DIR)
        return generate_latest(registry)
    return generate_latest(registry) + generate_latest(_own)
