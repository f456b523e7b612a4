"""What an import costs, beside what the database takes for the same rows without any of the work.

Everything happens in a scratch database of its own, each measurement in a process of its own, so that one leaves
nothing in memory for the next.
"""

import json
import multiprocessing
import pickle
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.apps import apps
from django.db import connection, connections, models, transaction

NAME = "onchannel_bench"
CHUNK = 2000  # messages in one transaction, as the importer has it


@dataclass(frozen=True)
class Cost:
    """``seconds`` by the wall, ``cpu_seconds`` of this process alone, ``peak_mb`` of resident memory."""

    seconds: float
    cpu_seconds: float
    peak_mb: int
    told: object = None  # what the work itself returned

    def as_dict(self) -> dict:
        return asdict(self)


def measured(work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter) -> Cost:
    """Return what the work cost, done in a process of its own. Its failure ends this one too."""
    connections.close_all()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_do, args=(work, clock, theirs))
    child.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError as error:
        raise RuntimeError("the measured work failed") from error
    finally:
        child.join()
    return Cost(*found)


def _do(work: Callable[[], object], clock: Callable[[], float], answer) -> None:
    began, cpu = clock(), time.process_time()
    told = work()
    if isinstance(told, Cost):  # it knows better which part of it counts
        answer.send((told.seconds, told.cpu_seconds, peak_mb(), told.told))
    else:
        answer.send((clock() - began, time.process_time() - cpu, peak_mb(), told))
    connections.close_all()


def peak_mb() -> int:
    """Return the most memory that this process has held so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 2**20 if sys.platform == "darwin" else most // 1024


class Scratch:
    """A database of its own on the configured server or beside the configured file, thrown away at the end."""

    def __init__(self) -> None:
        self.is_sqlite = connection.vendor == "sqlite"
        self.usual, self.pristine = connection.settings_dict["NAME"], ""

    def __enter__(self) -> "Scratch":
        test = connection.settings_dict["TEST"]
        test["NAME"] = f"{self.usual}.bench" if self.is_sqlite else NAME
        self.pristine = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        return self

    def fresh(self) -> None:
        """Make the connection's database a copy of what stands in the pristine one."""
        connections.close_all()
        work = f"{self.pristine}.work" if self.is_sqlite else f"{self.pristine}_work"
        if self.is_sqlite:
            for ending in ("", "-wal", "-shm"):
                Path(work + ending).unlink(missing_ok=True)
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connections.close_all()
            shutil.copy(self.pristine, work)
        else:
            self._on_server(f'DROP DATABASE IF EXISTS "{work}"', f'CREATE DATABASE "{work}" TEMPLATE "{self.pristine}"')
        connection.settings_dict["NAME"] = work

    def back(self) -> None:
        """Make the pristine database the connection's again, to add to it."""
        connections.close_all()
        connection.settings_dict["NAME"] = self.pristine

    def __exit__(self, *raised) -> None:
        connections.close_all()
        for name in (f"{self.pristine}.work", f"{self.pristine}_work", self.pristine):
            if self.is_sqlite:
                for ending in ("", "-wal", "-shm"):
                    Path(name + ending).unlink(missing_ok=True)
            else:
                self._on_server(f'DROP DATABASE IF EXISTS "{name}"')
        connection.settings_dict["NAME"] = self.usual

    def _on_server(self, *statements: str) -> None:
        with connection._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


# --- the same rows, without the work


@dataclass(frozen=True)
class Rows:
    """Rows of some tables that one transaction holds: (model, columns, rows), parents first."""

    tables: list[tuple[str, tuple[str, ...], list[tuple]]]


def written_by_the_import() -> list[type[models.Model]]:
    """Return the tables that hold rows after an import into an empty archive, parents first."""
    wanted = [*apps.get_app_config("ledger").get_models(), *apps.get_app_config("archive").get_models()]
    filled = [model for model in wanted if model._default_manager.exists()]
    ordered: list[type[models.Model]] = []

    def take(model: type[models.Model]) -> None:
        for field in model._meta.concrete_fields:
            if field.related_model in filled and field.related_model not in (model, *ordered):
                take(field.related_model)
        if model not in ordered:
            ordered.append(model)

    for model in filled:
        take(model)
    return ordered


def dump(path: Path) -> int:
    """Write the rows that are there to the file, cut where the importer cut them. Return how many."""
    from archive.models import Message

    pks = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    ends = pks[CHUNK - 1 :: CHUNK] + ([pks[-1]] if len(pks) % CHUNK else [])
    count, by_message, others = 0, [], []
    for model in written_by_the_import():
        about = next((f for f in model._meta.concrete_fields if f.name == "message" and not f.null), None)
        (by_message if model is Message or about else others).append(model)
    before = [model for model in others if model._meta.label in ("archive.Source", "archive.Import", "archive.Batch")]
    with path.open("wb") as file:
        count += _write(file, [(model, _rows(model)) for model in before])
        first = 0
        for end in ends:
            part = []
            for model in by_message:
                key = "pk" if model is Message else "message_id"
                part.append((model, _rows(model, **{f"{key}__gt": first, f"{key}__lte": end})))
            count += _write(file, part)
            first = end
        count += _write(file, [(model, _rows(model)) for model in others if model not in before])
    return count


def _rows(model: type[models.Model], **where) -> list[tuple]:
    columns = [field.attname for field in model._meta.concrete_fields]
    rows = model._default_manager.filter(**where).order_by("pk").values_list(*columns)
    return [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in rows]


def _write(file, tables: list[tuple[type[models.Model], list[tuple]]]) -> int:
    told = [
        (model._meta.label, tuple(field.attname for field in model._meta.concrete_fields), rows)
        for model, rows in tables
        if rows
    ]
    pickle.dump(Rows(told), file)
    return sum(len(rows) for _label, _columns, rows in told)


def parts(path: Path) -> Iterator[Rows]:
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)  # noqa: S301 - our own file of a moment ago
            except EOFError:
                return


def insert_plainly(path: Path, how: Callable[[Rows], None], *, is_prepared: bool) -> Cost:
    """Insert the rows of the file, one transaction a part. Reading the file is not counted.

    ``is_prepared``: the way takes values as the driver does, and making them so is not counted either.
    """
    seconds = cpu = 0.0
    connection.ensure_connection()
    for part in parts(path):
        if is_prepared:
            part = _prepared(part)
        began, spent = time.perf_counter(), time.process_time()
        with transaction.atomic():
            how(part)
        seconds += time.perf_counter() - began
        cpu += time.process_time() - spent
    return Cost(seconds, cpu, 0)


def _prepared(part: Rows) -> Rows:
    tables = []
    for label, columns, rows in part.tables:
        fields = [apps.get_model(label)._meta.get_field(name) for name in columns]
        as_json = [isinstance(field, models.JSONField) for field in fields]
        as_moment = [isinstance(field, models.DateTimeField) for field in fields]
        made = [
            tuple(
                json.dumps(value, ensure_ascii=False)
                if is_json and value is not None
                else connection.ops.adapt_datetimefield_value(value)
                if is_moment and value is not None
                else value
                for value, is_json, is_moment in zip(row, as_json, as_moment, strict=True)
            )
            for row in rows
        ]
        tables.append((label, columns, made))
    return Rows(tables)


def by_executemany(part: Rows) -> None:
    with connection.cursor() as cursor:
        for label, columns, rows in part.tables:
            table, names = _quoted(label, columns)
            holders = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({holders})", rows)  # noqa: S608 - our models


def by_copy(part: Rows) -> None:
    with connection.cursor() as cursor:
        for label, columns, rows in part.tables:
            table, names = _quoted(label, columns)
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


def by_bulk_create(part: Rows) -> None:
    for label, columns, rows in part.tables:
        model = apps.get_model(label)
        model._default_manager.bulk_create(
            [model(**dict(zip(columns, row, strict=True))) for row in rows], batch_size=500
        )


def _quoted(label: str, columns: tuple[str, ...]) -> tuple[str, str]:
    quote, table = connection.ops.quote_name, apps.get_model(label)._meta
    return quote(table.db_table), ", ".join(quote(table.get_field(name).column) for name in columns)
