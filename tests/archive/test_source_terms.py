"""What a source is told to be when it is begun, and what the command says where that cannot be."""

from pathlib import Path

import pytest
from django.core.management import CommandError

from archive.models import Message, Source
from tests.archive.mails import CAPTURE, mail

pytestmark = pytest.mark.django_db


def test_a_source_is_begun_by_its_terms_with_an_entry(deliver):
    deliver(mail(), mapping=CAPTURE, time_zone="Asia/Hong_Kong")
    source = Source.objects.get()
    assert (source.kind, source.mapping, source.time_zone) == ("mail", CAPTURE, "Asia/Hong_Kong")
    assert deliver(mail(), mapping=CAPTURE, time_zone="Asia/Hong_Kong")["duplicates"] == 1
    assert deliver(mail(), kind=None)["duplicates"] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "csv"}, "is there already with another kind"),
        ({"mapping": {"sender": "X-Other"}}, "is there already with another mapping"),
        ({"channel": "sms"}, "is there already with another channel"),
        ({"granularity": "conversation"}, "is there already with another granularity"),
        ({"time_zone": "UTC"}, "is there already with another time zone"),
    ],
)
def test_a_source_that_is_there_is_not_changed_by_an_import(deliver, options, words):
    deliver(mail())
    with pytest.raises(CommandError, match=words):
        deliver(mail("other"), **options)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mapping": {"sendre": "X-Sender"}}, "“sendre” is no field"),
        ({"mapping": {"sender": 5}}, "must be the name of a header"),
        ({"mapping": {"sender": "X Sender"}}, "must be the name of a header"),
        ({"mapping": {"own_domains": "example.com"}}, "must be a list of domains"),
        ({"mapping": {"kinds": ["x"]}}, "must say for words of the vendor"),
        ({"mapping": {"journal": "sometimes"}}, "must be one of: 'auto', 'plain'"),
        ({"mapping": ["x"]}, "A mapping is a JSON object"),
        ({"kind": "csv", "mapping": {"separator": "|"}}, "must be one of"),
        ({"kind": "csv", "mapping": {"date_format": "%H:%M"}}, "must be a date format"),
        ({"kind": "csv", "mapping": {"sender": ""}}, "must be the name of a column"),
        ({"kind": "wecom", "mapping": {"sender": "x"}}, "is no field of this kind of feed"),
        ({"time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"channel": "We Chat"}, "A channel's name has small letters"),
    ],
)
def test_a_source_cannot_be_begun_by_terms_that_mean_nothing(deliver, options, words):
    with pytest.raises(CommandError, match=words):
        deliver(mail(), **options)
    assert not Source.objects.exists()


def test_the_command_says_what_to_do_about_a_mapping_that_cannot_be_read(run_import, tmp_path):
    (tmp_path / "a.eml").write_bytes(mail())
    (tmp_path / "broken.json").write_bytes(b"{")
    with pytest.raises(CommandError, match="is not JSON in UTF-8"):
        run_import(tmp_path / "a.eml", source="journal", kind="mail", mapping=tmp_path / "broken.json")
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run_import(tmp_path / "a.eml", source="journal", kind="mail", mapping=tmp_path / "none.json")


def test_nothing_is_begun_for_a_missing_file(run_import, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run_import(Path(tmp_path / "none.eml"), source="journal", kind="mail")
    assert not Source.objects.filter(name="journal").exists()
