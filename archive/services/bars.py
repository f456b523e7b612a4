"""When each employee might not message clients: told by the roof, which alone knows training and archive together."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from archive.models import Bar
from archive.services.due import Why, mark_due


@transaction.atomic
def set_bars(*, barred: Mapping[int, bool], at: datetime) -> int:
    """Let the bars of these employees be so from the moment on. Return how many were begun or ended.

    The reason stands in the Entry of the caller, who decides; here it is only remembered when. Safe to call again.
    """
    still = {one.employee_id: one for one in Bar.objects.select_for_update().filter(employee__in=barred, ends_at=None)}
    begun = [who for who, is_barred in barred.items() if is_barred and who not in still]
    ended = [one for who, one in still.items() if not barred[who]]
    Bar.objects.bulk_create([Bar(employee_id=who, begins_at=at) for who in begun], batch_size=400)
    over = Bar.objects.filter(pk__in=[one.pk for one in ended])
    over.filter(begins_at__gte=at).delete()  # over before it could mean anything
    over.filter(begins_at__lt=at).update(ends_at=at)
    mark_due(((who, at) for who in [*begun, *(one.employee_id for one in ended)]), Why.BAR)
    return len(begun) + len(ended)
