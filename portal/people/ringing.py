"""Tells the rooms above that HR's facts about people have changed, by the name that a setting holds."""

import logging
from collections.abc import Iterable
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

AT_ONCE = 500  # people in one ring


def ring_changed(employee_ids: Iterable[int]) -> None:
    """After the commit, ring for these people. Lost without harm: each night everybody is looked at."""
    ids = sorted(set(employee_ids))
    for start in range(0, len(ids), AT_ONCE):
        transaction.on_commit(partial(_ring, ids[start : start + AT_ONCE]))


def _ring(ids: list[int]) -> None:
    try:
        current_app.send_task(settings.PEOPLE_CHANGED_TASK, args=[ids])
    except Exception:
        logger.warning("could not ring for %s people", len(ids), exc_info=True)
