from celery import current_app
from django.conf import settings


def test_every_task_that_the_clock_rings_exists():
    current_app.loader.import_default_modules()
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert rung <= set(current_app.tasks)


def test_what_a_firm_relies_on_is_rung():
    """Without these nobody is assigned anything, no standing follows, and abandoned work stays abandoned."""
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert rung >= {
        "training.tasks.apply_rules",
        "portal.standing.tasks.catch_up",
        "portal.jobs.tasks.sweep",
        "archive.tasks.refresh_findings",
    }
