"""Many rows of one table at once.

``bulk_create`` builds one statement of values for every few dozen rows and prepares each value by itself: for the
participants of a feed that took half of the whole import. Here SQLite prepares one statement and runs it for all rows,
and PostgreSQL is sent them by COPY. Constraints and defaults of the database hold as ever; ``save()``, signals and
Python defaults are not run, just as with ``bulk_create``, and the caller gives every column.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import orjson
from django.db import connection, models
from django.db.models.lookups import Lookup


def insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[tuple],
    *,
    skip_known: bool = False,
    are_ready: bool = False,
) -> None:
    """Insert the rows, values in the order of ``columns`` (names of fields; a foreign key takes the primary key).

    ``skip_known``: a row that a unique constraint of the table knows already is left out without a word.
    ``are_ready``: the moments went through ``ready_moments``, and there is no JSON.
    """
    fields = [model._meta.get_field(name) for name in columns]
    prepared = iter(rows) if are_ready else _prepared(fields, rows)
    first = next(prepared, None)
    if first is None:
        return
    quote = connection.ops.quote_name
    table = f"{quote(model._meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"
    with connection.cursor() as cursor:
        # Table and columns come from the model, values are parameters.
        if connection.vendor == "postgresql" and not skip_known:
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write_row(first)
                for row in prepared:
                    copy.write_row(row)
        else:
            holders = ", ".join(["%s"] * len(fields))
            known = " ON CONFLICT DO NOTHING" if skip_known else ""
            cursor.executemany(f"INSERT INTO {table} VALUES ({holders}){known}", [first, *prepared])  # noqa: S608


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[tuple]) -> None:
    """Write the columns of the rows anew: of each its primary key comes last, after the values of ``columns``.

    ``bulk_update`` builds one expression of all rows, which takes ten times as long.
    """
    fields = [model._meta.get_field(name) for name in columns]
    prepared = list(_prepared(fields, rows))
    quote = connection.ops.quote_name
    told = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    where = f"{quote(model._meta.pk.column)} = %s"
    with connection.cursor() as cursor:
        if prepared:
            cursor.executemany(f"UPDATE {quote(model._meta.db_table)} SET {told} WHERE {where}", prepared)  # noqa: S608


def next_pks(model: type[models.Model], count: int) -> list[int]:
    """Return so many primary keys that no row has or will have, to be given to ``insert``. In a transaction.

    On SQLite the transaction is the only one that writes; on PostgreSQL the sequence hands each number out once.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "pg_get_serial_sequence(%s, %s)"
            cursor.execute(
                f"SELECT nextval({sequence}) FROM generate_series(1, %s)",  # noqa: S608 - a constant
                [model._meta.db_table, model._meta.pk.column, count],
            )
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
        last = (cursor.fetchone() or (0,))[0]
    return list(range(last + 1, last + 1 + count))


def read(rows: models.QuerySet, columns: Sequence[str]) -> Iterator[tuple]:
    """Yield the columns of the rows as the driver gives them: ``moment`` makes moments of them, JSON stays text.

    Django looks at each value by itself to make it what its field says, which takes longer than reading it.
    """
    sql, params = rows.values_list(*columns).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while some := cursor.fetchmany(1000):
            yield from some


def moment(value: datetime | None) -> datetime | None:
    """Return the moment that ``read`` gave: SQLite keeps it in UTC and does not say so."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def without_row(field: models.Field, values: Collection[str]) -> set[str]:
    """Return those of the values that no row has in this field, each looked for by the field's index."""
    quote = connection.ops.quote_name
    table, column = quote(field.model._meta.db_table), quote(field.column)
    absent = f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {column} = told.value)"  # noqa: S608 - names of the model
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT value FROM unnest(%s::text[]) AS told(value) {absent}", [list(values)])  # noqa: S608
        else:
            cursor.execute(f"SELECT value FROM json_each(%s) AS told {absent}", [json.dumps(list(values))])  # noqa: S608
        return {value for (value,) in cursor.fetchall()}


@models.Field.register_lookup
class Among(Lookup):
    """``field__among=values`` is ``field__in=values`` for thousands of values: they are one parameter."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sqlite(self, compiler, connection) -> tuple[str, list]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(list(self.rhs))]  # noqa: S608

    def as_postgresql(self, compiler, connection) -> tuple[str, list]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*params, list(self.rhs)]


def _prepared(fields: Sequence[models.Field], rows: Iterable[tuple]) -> Iterator[Sequence]:
    """Yield the rows with each value as the driver of the database takes it."""
    prepare = [(at, _once(how)) for at, field in enumerate(fields) if (how := _preparing(field))]
    for row in rows:
        values = list(row)
        for at, how in prepare:
            if values[at] is not None:
                values[at] = how(values[at])
        yield values


def _preparing(field: models.Field) -> Callable | None:
    """Return what makes a value of this field what the database driver takes; None where it does so itself."""
    match field:
        case models.DateTimeField():
            return ready_moments() if connection.vendor == "sqlite" else None
        case models.JSONField():
            return _as_json
    return None


def _as_json(value: object) -> str:
    """Return the JSON of plain values: text, lists, and numbers of up to 64 bits."""
    return "[]" if value == [] else orjson.dumps(value).decode()


def ready_moments() -> Callable[[datetime | None], object]:
    """Return what makes a moment what the database driver takes: on SQLite the text that Django writes."""
    if connection.vendor != "sqlite":
        return lambda value: value
    adapt, is_utc = connection.ops.adapt_datetimefield_value, connection.timezone is UTC

    def ready(value: datetime | None) -> str | None:
        if value is not None and is_utc and value.tzinfo is UTC:
            return value.isoformat(" ")[:-6]  # without +00:00
        return adapt(value)

    return ready


def _once(how: Callable) -> Callable:
    """Return the function with a memory of one: rows that follow each other often share the very value."""
    last, made = None, None

    def remembering(value: object) -> object:
        nonlocal last, made
        if value is not last:
            last, made = value, how(value)
        return made

    return remembering
