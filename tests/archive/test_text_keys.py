"""The keys that seal words: rotated in pieces, missed in words that help, never an error page."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.urls import reverse

from archive import sealing, services
from archive.models import MessageText, SetAside
from archive.services import rotating
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import line, words_of

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def sealed(settings, run_import, write_feed):
    """Seven texts and two lines under the old key; the new one has been put in front."""
    settings.ARCHIVE_TEXT, settings.ARCHIVE_TEXT_KEYS = "all", [OLD]
    run_import(write_feed([*(line(n, f"words {n}") for n in range(1, 8)), '{"seq": 8, ', '{"seq": 9, ']))
    settings.ARCHIVE_TEXT_KEYS = [NEW, OLD]


def keys_in_use() -> set[str]:
    used = set(MessageText.objects.values_list("key_id", flat=True))
    return used | set(SetAside.objects.values_list("key_id", flat=True))


def test_everything_is_sealed_anew_and_the_old_key_may_go(sealed, settings, capsys):
    call_command("rotate_archive_keys")
    assert "7 texts and 2 set-aside lines sealed anew" in capsys.readouterr().out
    settings.ARCHIVE_TEXT_KEYS = [NEW]
    assert keys_in_use() == {sealing.key_id(NEW)}
    assert sorted(words_of(one) for one in MessageText.objects.all()) == [f"words {n}" for n in range(1, 8)]
    assert [sealing.unseal(one.sealed, one.key_id) for one in SetAside.objects.order_by("line_no")] == [
        b'{"seq": 8, ',
        b'{"seq": 9, ',
    ]


def test_each_piece_is_noted_and_a_run_that_is_cut_off_goes_on(sealed, monkeypatch):
    monkeypatch.setattr(rotating, "CHUNK", 3)

    def cut_off(done) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.rotate_keys(by="system:test", progress=cut_off)
    assert MessageText.objects.filter(key_id=sealing.key_id(NEW)).count() == 3
    assert services.rotate_keys(by="system:test").texts == 4
    assert keys_in_use() == {sealing.key_id(NEW)}
    bodies = [ledger.body_of(one) for one in Entry.objects.filter(verb="archive.keys_rotated").order_by("seq")]
    assert [(body["what"], sum(body["from"].values())) for body in bodies] == [
        ("texts", 3),
        ("texts", 3),
        ("texts", 1),
        ("lines", 2),
    ]
    assert {body["to"] for body in bodies} == {sealing.key_id(NEW)}
    assert not any(key in str(bodies) for key in (OLD, NEW))
    assert services.rotate_keys(by="system:test") == rotating.Rotated()


def test_what_a_lost_key_sealed_is_named_and_the_rest_goes_on(sealed, settings):
    other = Fernet.generate_key().decode()
    settings.ARCHIVE_TEXT_KEYS = [other]
    first = MessageText.objects.order_by("pk").first()
    first.sealed, first.key_id = sealing.seal(b"other words")
    first.save()
    settings.ARCHIVE_TEXT_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=f"6 texts and 2 set-aside lines .*1 with {sealing.key_id(other)}") as told:
        call_command("rotate_archive_keys")
    assert "Put these keys back into ARCHIVE_TEXT_KEYS" in str(told.value)
    first.refresh_from_db()
    assert first.key_id == sealing.key_id(other)


def test_a_key_that_is_gone_is_said_on_the_page(sealed, settings, make_employee, sign_in):
    settings.ARCHIVE_TEXT_KEYS = [NEW]
    aside = SetAside.objects.first()
    url = reverse("archive:aside_file", args=[aside.run.uid, aside.line_no])
    answer = sign_in(make_employee(roles=("Compliance",))).post(url, {"reason": "to mend the feed"}, follow=True)
    assert answer.status_code == 200
    assert f"encrypted with the key {sealing.key_id(OLD)}, which the site no longer has" in answer.text
    assert not Entry.objects.filter(verb="archive.aside_read").exists()


def test_bytes_that_were_changed_are_said_to_be(sealed):
    text = MessageText.objects.first()
    with pytest.raises(services.KeyMissing, match="or it was changed since"):
        sealing.unseal(bytes(text.sealed)[:-4] + b"AAA=", text.key_id)
