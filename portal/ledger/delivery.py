"""What must leave the machine: one row a Seal and place, made with the Seal and worked on until it is delivered."""

import logging

from celery import current_app
from django.conf import settings
from django.db import transaction

from portal.ledger.models import Delivery, Seal

logger = logging.getLogger(__name__)

TASK = "portal.ledger.tasks.deliver"


def places() -> list[Delivery.Place]:
    """Return where Seals are sent, as the settings say."""
    wanted = {
        Delivery.Place.FOLDER: settings.SEALS_OUT_DIR,
        Delivery.Place.MAIL: settings.SEALS_MAIL_TO,
        Delivery.Place.S3: settings.SEALS_BUCKET,
        Delivery.Place.TIMESTAMP: settings.SEALS_TIMESTAMP_URL,
    }
    return [place for place, value in wanted.items() if value]


def file_name(seal: Seal) -> str:
    """Return what a Seal is called wherever it is kept."""
    return f"seal-{seal.number:08}.txt"


def order(seal: Seal) -> None:
    """Note that the Seal is to go to every place, and ring for it on commit."""
    wanted = [Delivery(seal=seal, place=place, due_at=seal.at) for place in places()]
    Delivery.objects.bulk_create(wanted)
    if wanted:
        transaction.on_commit(ring)


def ring() -> None:
    """Tell a worker. If the broker is away, the clock rings soon, so nothing is lost."""
    try:
        current_app.send_task(TASK)
    except Exception:
        logger.warning("could not ring for the delivery of seals", exc_info=True)
