"""Many rows of one table at once.

``bulk_create`` builds one statement of values for every few dozen rows and prepares each value by itself: for the
participants of a feed that took half of the whole import. Here one statement is prepared and run for all rows.
Constraints and defaults of the database hold as ever; ``save()``, signals and Python defaults are not run, just as
with ``bulk_create``, and the caller gives every column.
"""

import json
from collections.abc import Callable, Iterable
from functools import lru_cache

from django.db import connection, models


def insert(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Insert the rows, values in the order of ``columns`` (names of fields; a foreign key takes the primary key)."""
    fields = [model._meta.get_field(name) for name in columns]
    prepare = [(at, how) for at, field in enumerate(fields) if (how := _preparing(field))]
    values = []
    for row in rows:
        prepared = list(row)
        for at, how in prepare:
            if prepared[at] is not None:
                prepared[at] = how(prepared[at])
        values.append(prepared)
    if not values:
        return
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    holders = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        # Table and columns come from the model, values are parameters.
        cursor.executemany(f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({holders})", values)  # noqa: S608


def _preparing(field: models.Field) -> Callable | None:
    """Return what makes a value of this field what the database driver takes; None where it does so itself."""
    match field:
        case models.DateTimeField():
            return lru_cache(maxsize=4096)(connection.ops.adapt_datetimefield_value)
        case models.JSONField():
            return lambda value: json.dumps(value, ensure_ascii=False)
    return None
