"""A backup is whole or is none; what comes back is what was there, and the log says so to a seal from outside."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings as conf
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from portal.ledger import sealing
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.operations import backups, databases

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(settings) -> Path:
    """A file that the site keeps, one that is being uploaded, and three entries."""
    file = settings.PRIVATE_DIR / "certificates" / "证书.pdf"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"%PDF-1.7 \x00 and so on")
    settings.FILE_UPLOAD_TEMP_DIR = settings.PRIVATE_DIR / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    (settings.FILE_UPLOAD_TEMP_DIR / "half").write_bytes(b"not yet")
    for text in ("one", "二", "'; DROP TABLE x --\N{PILE OF POO}"):
        with transaction.atomic():
            ledger.append(verb="test.done", actor="system:test", subject="system:test", body={"text": text})
    return file


@pytest.fixture
def backup(kept, tmp_path) -> backups.Backup:
    return backups.make(tmp_path / "backups")


@pytest.fixture
def new_site(tmp_path, settings):
    """The environment of an empty site with the same engine and keys."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATA_DIR", "REDIS_URL")}
    env |= {"DATA_DIR": str(tmp_path / "new"), "LEDGER_KEY_FILE": settings.LEDGER_KEY_FILE, "HTTPS": "0"}
    if connection.vendor == "sqlite":
        yield env
        return
    told, name = connection.settings_dict, f"{connection.settings_dict['NAME']}_new"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    url = f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{name}"
    yield env | {"DATABASE_URL": url}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(env: dict, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def bodies_in(env: dict) -> list:
    """Return what the entries of another site say, oldest first, read without the site."""
    query = "SELECT b.content FROM ledger_entry e JOIN ledger_body b ON b.entry_id = e.seq ORDER BY e.seq"
    if "DATABASE_URL" not in env:
        import sqlite3

        with closing(sqlite3.connect(Path(env["DATA_DIR"]) / "onchannel.sqlite3")) as there:
            return [bytes(row[0]) if not isinstance(row[0], str) else row[0] for row in there.execute(query)]
    import psycopg

    with psycopg.connect(env["DATABASE_URL"]) as there:
        return [bytes(row[0]) if not isinstance(row[0], str) else row[0] for row in there.execute(query)]


def test_what_was_backed_up_comes_back_and_agrees_with_a_seal_from_outside(kept, tmp_path, new_site, capsys):
    seal = tmp_path / "seal.txt"
    seal.write_bytes(sealing.seal().note.encode())
    call_command("backup", tmp_path / "backups")
    folder = Path(capsys.readouterr().out.strip())
    entries = Entry.objects.count()  # with the one of the backup itself, which is not in it

    done = run(new_site, "restore", str(folder), "--seal", str(seal))
    assert done.returncode == 0, done.stderr
    assert f"{entries - 1} entries, all sound; 1 seals, 1 copies outside" in done.stdout
    assert (Path(new_site["DATA_DIR"]) / "private" / "certificates" / kept.name).read_bytes() == kept.read_bytes()
    assert not (Path(new_site["DATA_DIR"]) / "private" / "uploads" / "half").exists()
    assert len(bodies_in(new_site)) == entries  # those of the backup, and that it was restored

    again = run(new_site, "restore", str(folder))
    assert again.returncode != 0
    assert "The database is not empty." in again.stderr


def test_a_backup_is_an_entry_that_knows_its_manifest(backup):
    entry = Entry.objects.order_by("-seq").first()
    assert (entry.verb, entry.actor) == ("operations.backed_up", "system:backup")
    assert backup.folder.name.startswith("onchannel-")
    assert set(backup.manifest["files"]) == {databases.file_name(), "files/certificates/证书.pdf"}
    assert backups.read(backup.folder).manifest == json.loads((backup.folder / "manifest.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: _change(folder / "files" / "certificates" / "证书.pdf"), "is not as it was"),
        (lambda folder: _change(folder / databases.file_name()), "is not as it was"),
        (lambda folder: (folder / "files" / "certificates" / "证书.pdf").unlink(), "is missing"),
        (lambda folder: (folder / "files" / "more").write_bytes(b"x"), "does not belong to it"),
        (lambda folder: (folder / "manifest.json").unlink(), "it is no backup, or one that was not finished"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "cannot be read"),
        (
            lambda folder: (folder / "manifest.json").write_text('{"files": {}, "format": 9, "database": ""}'),
            "format 9",
        ),
    ],
)
def test_a_backup_that_is_not_as_it_was_is_refused_by_name(backup, harm, said):
    harm(backup.folder)
    with pytest.raises(backups.BadBackup, match=said):
        backups.read(backup.folder)


def _change(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_site_with_data_is_not_overwritten(backup):
    before = Entry.objects.count()
    with pytest.raises(backups.NotEmpty):
        backups.restore(backup)
    with pytest.raises(CommandError, match="Nothing of the database was changed"):
        call_command("restore", backup.folder)
    assert Entry.objects.count() == before


def test_another_engines_backup_is_refused(backup):
    other = {databases.SQLITE_FILE, databases.POSTGRES_FILE} - {databases.file_name()}
    backup.manifest["database"] = other.pop()
    with pytest.raises(backups.BadBackup, match="another engine"):
        backups.restore(backup)


def test_a_backup_that_fails_leaves_nothing_and_no_entry(kept, tmp_path, monkeypatch):
    def refuse(to: Path) -> None:
        to.write_bytes(b"half")
        raise databases.CannotCopy("pg_dump: no")

    monkeypatch.setattr(databases, "dump", refuse)
    with pytest.raises(CommandError, match="pg_dump: no"):
        call_command("backup", tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []
    assert not Entry.objects.filter(verb="operations.backed_up").exists()


def test_a_missing_tool_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(databases.CannotCopy, match="pg_dump is not on this machine"):
        databases._run("pg_dump")


def test_the_keys_are_not_in_it(kept, tmp_path, settings):
    sealing.seal()
    backup = backups.make(tmp_path / "backups")
    keys = [Path(settings.LEDGER_KEY_FILE).read_bytes(), conf.SECRET_KEY.encode()]
    assert not [
        path for path in backup.folder.rglob("*") if path.is_file() and any(k in path.read_bytes() for k in keys)
    ]
