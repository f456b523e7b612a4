"""Question files into a bank by command: dry first, again without harm, with every refusal told."""

import json

import pytest
from django.core.management import CommandError, call_command

from portal.ledger.models import Entry
from quizzes import services
from quizzes.models import Bank, Question
from tests.quizzes.samples import ALL

GIFT = "::one:: Kept? {T}\n\n::two:: Who? {=Ann ~Bob}\n\n::three:: Essay {}\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "questions.gift"
    path.write_text(GIFT, encoding="utf-8")
    return path


def run(capsys, file, *more: str) -> dict:
    call_command("import_questions", str(file), "--format", "gift", "--bank", "US rules", "--json", *more)
    return json.loads(capsys.readouterr().out)


def test_a_dry_run_says_what_would_become_and_changes_nothing(db, capsys, file):
    told = run(capsys, file, "--dry-run")
    assert (told["found"], told["imported"], len(told["refused"])) == (3, 2, 1)
    assert told["refused"][0] == {
        "where": "line 5",
        "name": "three",
        "reason": "an essay: only a person could grade it",
    }
    assert not Bank.objects.exists()
    assert not Entry.objects.exists()


def test_what_comes_in_waits_for_review_and_is_an_entry(db, capsys, file):
    told = run(capsys, file)
    assert (told["bank"], told["questions"]) == ("us-rules", ["one v1", "two v1"])
    assert list(Question.objects.order_by("slug").values_list("slug", "state")) == [
        ("one", "proposed"), ("two", "proposed"),
    ]  # fmt: skip
    assert Bank.objects.get().title == {"en": "US rules"}
    assert not Question.objects.usable().exists()
    [entry] = Entry.objects.filter(verb="quizzes.questions_imported")
    assert entry.actor == "system:import_questions"


def test_the_same_file_again_changes_nothing_and_a_changed_question_is_a_new_version(db, capsys, file):
    run(capsys, file)
    again = run(capsys, file)
    assert (again["imported"], again["already_there"]) == (0, 2)
    file.write_text(GIFT.replace("Bob", "Cy"), encoding="utf-8")
    changed = run(capsys, file)
    assert changed["questions"] == ["two v2"]
    assert changed["noted"][0]["notes"] == ["it is version 2 of 'two'"]
    assert Entry.objects.filter(verb="quizzes.questions_imported").count() == 2


def test_two_questions_of_one_name_are_two_questions(db, capsys, file):
    file.write_text("::q:: A? {T}\n\n::q:: B? {T}\n\n::q-2:: C? {T}\n\n::q:: A? {T}", encoding="utf-8")
    told = run(capsys, file)
    assert told["found"] == told["imported"] == 4
    assert Question.objects.count() == 4
    assert run(capsys, file)["already_there"] == 4


@pytest.mark.parametrize("name", ["GIFT", "gift"])
def test_a_format_is_known_by_the_names_that_people_give_it(db, capsys, file, name):
    call_command("import_questions", str(file), "--format", name, "--bank", "us")
    assert "2 imported" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("import_questions", str(file), "--format", "word", "--bank", "us")


def test_lines_for_people_name_every_refusal(db, capsys, file):
    call_command("import_questions", str(file), "--format", "gift", "--bank", "us")
    printed = capsys.readouterr().out
    assert "line 5 (three): refused: an essay" in printed
    assert "3 found, 2 imported, 0 already there, 1 refused" in printed


def test_a_file_that_is_none_ends_with_an_error(db, tmp_path):
    (tmp_path / "x").write_bytes(b"PK\x03\x04")
    with pytest.raises(CommandError, match="no ZIP"):
        call_command("import_questions", str(tmp_path / "x"), "--format", "qti", "--bank", "us")
    with pytest.raises(CommandError):
        call_command("import_questions", str(tmp_path / "gone"), "--format", "qti", "--bank", "us")


@pytest.mark.parametrize("name", ["gift", "moodle", "qti", "aiken", "yaml"])
def test_a_bank_goes_out_and_comes_back(db, capsys, tmp_path, name):
    services.publish_bank(slug="all", title={"en": "All"}, questions=ALL, by="system:test")
    path = tmp_path / "out"
    call_command("export_questions", str(path), "--format", name, "--bank", "all")
    printed = capsys.readouterr().out
    call_command("import_questions", str(path), "--format", name, "--bank", "copy", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["refused"] == []
    assert f"{told['imported']} written" in printed


def test_our_own_format_brings_a_bank_over_whole(db, tmp_path):
    path = tmp_path / "bank.yaml"
    services.publish_bank(slug="all", title={"en": "All"}, questions=ALL, by="system:test")
    for source, copy in (("all", "first"), ("first", "second")):
        call_command("export_questions", str(path), "--format", "yaml", "--bank", source)
        call_command("import_questions", str(path), "--format", "yaml", "--bank", copy)
    prints = {
        slug: set(Question.objects.filter(bank__slug=slug).values_list("slug", "fingerprint"))
        for slug in ("first", "second")
    }
    assert len(prints["first"]) == len(ALL)
    assert prints["first"] == prints["second"]


def test_many_questions_are_written_many_at_once(db, count_queries):
    data = "\n\n".join(f"::q{n}:: Is {n} kept? {{T}}" for n in range(1500)).encode()
    load = {"data": data, "file_format": "gift", "bank": "many", "language": "en", "by": "system:test"}
    assert count_queries(lambda: services.import_questions(**load)) < 100  # SQLite takes about forty rows a query
    assert Question.objects.count() == 1500
