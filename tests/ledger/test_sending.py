"""Seals leave the machine: to every place once, tried again until they are there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from rfc3161_client import decode_timestamp_response

from portal.ledger import keys, sealing, sending, tasks
from portal.ledger.models import Delivery, Seal
from tests.ledger.places import Authority, Storage, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(write) -> Callable[[], Seal]:
    def go() -> Seal:
        write()
        return sealing.seal()

    return go


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    settings.SEALS_OUT_DIR = str(tmp_path / "out")
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def storage(settings, tmp_path) -> Iterator[Storage]:
    storage = Storage("AKIDEXAMPLE", "a secret of the storage")
    (tmp_path / "secret").write_text("a secret of the storage\n", encoding="utf-8")
    with serving(storage.answer) as address:
        settings.SEALS_BUCKET, settings.SEALS_BUCKET_ENDPOINT = "seals", address
        settings.SEALS_BUCKET_KEY_ID, settings.SEALS_BUCKET_SECRET_FILE = storage.key_id, str(tmp_path / "secret")
        yield storage


@pytest.fixture
def authority(settings, tmp_path) -> Iterator[Authority]:
    authority = Authority()
    (tmp_path / "roots.pem").write_bytes(authority.root_pem())
    with serving(authority.answer) as address:
        settings.SEALS_TIMESTAMP_URL, settings.SEALS_TIMESTAMP_ROOTS = address, str(tmp_path / "roots.pem")
        yield authority


def again() -> int:
    """Let the time of every delivery come, and send."""
    Delivery.objects.filter(delivered_at=None).update(due_at=timezone.now(), lease_until=None)
    return sending.deliver_due()


def test_nothing_is_sent_where_no_place_is_named(sealed):
    sealed()
    assert Delivery.objects.count() == 0


def test_a_seal_goes_to_the_folder_byte_for_byte_with_its_public_key(
    sealed, folder, bells, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        seal = sealed()
    assert ("portal.ledger.tasks.deliver", []) in bells
    tasks.deliver()
    [delivery] = Delivery.objects.all()
    assert (folder / "seal-00000001.txt").read_bytes() == seal.note.encode()
    assert (folder / f"key-{seal.key_id}.txt").read_text() == f"{keys.public_keys()[0]}\n"
    assert delivery.receipt == str(folder / "seal-00000001.txt")
    assert sorted(path.name for path in folder.iterdir()) == [f"key-{seal.key_id}.txt", "seal-00000001.txt"]
    assert sending.deliver_due() == 0


def test_a_file_that_says_something_else_is_never_written_over(sealed, folder):
    (folder / "seal-00000001.txt").write_text("mine")
    sealed()
    assert sending.deliver_due() == 0
    delivery = Delivery.objects.get()
    assert "says something else" in delivery.error
    assert (folder / "seal-00000001.txt").read_text() == "mine"


def test_a_seal_goes_to_the_mailbox_with_a_name_of_its_own(sealed, settings):
    settings.SEALS_MAIL_TO = ["compliance@example.com"]
    seal = sealed()
    assert sending.deliver_due() == 1
    [message] = mail.outbox
    assert message.to == ["compliance@example.com"]
    assert message.attachments[0].content == seal.note.encode()
    assert str(keys.public_keys()[0]) in message.body
    assert message.extra_headers["Message-ID"] == f"<seal-1.{bytes(seal.digest).hex()[:32]}@localhost>"
    assert again() == 0
    assert len(mail.outbox) == 1


def test_a_seal_goes_under_object_lock(sealed, storage, settings):
    settings.SEALS_BUCKET_YEARS = 3
    seal = sealed()
    assert sending.deliver_due() == 1
    assert storage.objects == {"/seals/seal-00000001.txt": seal.note.encode()}
    [(mode, until)] = storage.locks
    assert mode == "COMPLIANCE"
    assert until - seal.at > timedelta(days=3 * 365)
    assert Delivery.objects.get().receipt == "s3://seals/seal-00000001.txt version v1"


def test_what_got_through_although_nobody_heard_of_it_is_not_put_twice(sealed, storage):
    seal = sealed()
    storage.objects["/seals/seal-00000001.txt"] = seal.note.encode()
    assert sending.deliver_due() == 1
    assert (storage.puts, len(storage.objects)) == (1, 1)


def test_another_object_in_its_place_is_a_failure_that_is_seen(sealed, storage):
    sealed()
    storage.objects["/seals/seal-00000001.txt"] = b"something else"
    assert sending.deliver_due() == 0
    assert "says something else" in Delivery.objects.get().error


def test_a_wrong_secret_is_refused_by_the_storage(sealed, storage, settings):
    storage.secret = "another one"
    sealed()
    assert sending.deliver_due() == 0
    assert "SignatureDoesNotMatch" in Delivery.objects.get().error


def test_a_time_stamp_is_asked_for_checked_and_kept(sealed, authority):
    seal = sealed()
    assert sending.deliver_due() == 1
    delivery = Delivery.objects.get()
    stamp = decode_timestamp_response(bytes(delivery.stamp))
    assert abs(stamp.tst_info.gen_time.replace(tzinfo=seal.at.tzinfo) - seal.at) < timedelta(minutes=5)
    assert delivery.receipt.endswith("serial 1")


@pytest.mark.parametrize(
    "lie",
    [
        lambda info: info.update(nonce=1),
        lambda info: info.update(
            message_imprint={"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
        ),
    ],
    ids=["another question", "another seal"],
)
def test_an_answer_to_something_else_is_no_time_stamp(sealed, authority, lie):
    authority.lie = lie
    sealed()
    assert sending.deliver_due() == 0
    assert Delivery.objects.get().stamp is None
    authority.lie = lambda info: None
    assert again() == 1


def test_a_time_stamp_under_a_root_that_nobody_trusts_is_refused(sealed, authority, settings):
    Path(settings.SEALS_TIMESTAMP_ROOTS).write_bytes(Authority().root_pem())
    sealed()
    assert sending.deliver_due() == 0
    assert Delivery.objects.get().error.startswith("VerificationError")


def test_every_place_gets_every_seal_once_however_often_it_failed(sealed, folder, storage, authority, settings):
    settings.SEALS_MAIL_TO = ["compliance@example.com"]
    storage.is_down = True
    for _ in range(3):
        sealed()
    assert sending.deliver_due() == 9  # the storage is asked once, and then left alone
    waiting = Delivery.objects.filter(delivered_at=None)
    assert [delivery.attempts for delivery in waiting.order_by("seal_id")] == [1, 0, 0]
    first = waiting.get(seal_id=1)
    assert "SlowDown" in first.error or "503" in first.error
    assert first.due_at > timezone.now() + timedelta(seconds=30)
    storage.is_down = False
    assert again() == 3
    assert again() == 0
    assert (len(list(folder.glob("seal-*"))), len(mail.outbox), len(storage.objects), authority.asked) == (3, 3, 3, 3)


def test_who_is_at_a_delivery_is_left_alone_until_the_lease_has_run_out(sealed, folder):
    sealed()
    delivery = Delivery.objects.get()
    Delivery.objects.update(lease_until=timezone.now() + timedelta(minutes=1), lease_token="another")
    assert not sending.deliver(delivery.pk)
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sending.deliver(delivery.pk)
    assert not sending.deliver(delivery.pk)


def test_waits_grow_to_an_hour(sealed, settings, tmp_path):
    settings.SEALS_OUT_DIR = str(tmp_path / "nowhere" / "at all")
    sealed()
    waits = []
    for _ in range(9):
        again()
        waits.append(round((Delivery.objects.get().due_at - timezone.now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_command_seals_sends_and_fails_if_anything_did_not_go(write, folder, settings, capsys):
    write()
    call_command("seal_ledger")
    assert "Seal 1 over 4 entries; 1 deliveries." in capsys.readouterr().out
    call_command("seal_ledger", if_due=True)
    assert "No seal is due." in capsys.readouterr().out
    settings.SEALS_OUT_DIR = str(folder / "gone")
    with pytest.raises(CommandError, match="1 deliveries failed"):
        call_command("seal_ledger")
