import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from portal.evidence import check_pack, making, services, workshop
from portal.evidence.models import Pack
from portal.evidence.sections import ALL
from portal.evidence.workshop import Workshop
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import keys
from portal.ledger import services as ledger
from portal.ledger.models import Entry, Seal
from portal.people import services as people
from portal.standing import services as standing
from tests import studying
from tests.evidence.conftest import CHECKER, bytes_of, checked, files_of, made, unpacked
from tests.evidence.test_tampering import cell, doubled_row, sign_again
from training import attesting, exempting
from training import services as training
from training.models import Course

pytestmark = pytest.mark.django_db


def table(files: dict[str, bytes], name: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode("utf-8-sig")), strict=True))


def verbs() -> list[str]:
    return list(Entry.objects.filter(verb__startswith="evidence.").order_by("seq").values_list("verb", flat=True))


def test_a_pack_about_a_person_tells_what_was_required_seen_answered_captured_found_and_remedied(make_pack, firm):
    files = files_of(make_pack())
    assert {row["course"] for row in table(files, "required")} == {studying.SLUG}
    assert [row["fingerprint"] for row in table(files, "seen")] == ["1" * 64]
    assert [row["lesson"] for row in table(files, "read")] == ["first-lesson", "second-lesson"]
    assert all(row["entry"] for row in table(files, "read"))
    assert [row["passed"] for row in table(files, "attempts")] == ["yes", "yes"]
    answers = table(files, "answers")
    assert len(answers) == 6
    assert {row["is_right"] for row in answers} == {"yes"}
    assert all(row["asked"].startswith("stem of ") and " a: chosen" in row["answered"] for row in answers)
    assert len(table(files, "passed")) == 2
    assert [row["percent"] for row in table(files, "completed")] == ["100"]
    assert firm["certificate"].serial in [row["serial"] for row in table(files, "certificates")]
    assert [row["sent"] for row in table(files, "captured")] == ["1"]
    assert [row["kind"] for row in table(files, "findings")] == ["self_report"]
    assert [row["note"] for row in table(files, "slips")] == ["'@told"]
    [person] = table(files, "people")
    assert (person["name_en"], person["name_zh"], person["department"]) == ("'=Ann", "安", "Team")
    assert (person["completed"], person["training"]) == ("1", "current")


def test_what_was_attested_moved_asked_and_taken_over_is_in_it_and_is_checked(make_pack, firm, tmp_path):
    ann, today = firm["ann"], timezone.localdate()
    for slug, quarter in (("messaging", ""), ("statement", "2026-Q4")):
        version = training.publish_policy(
            slug=slug, title={"en": slug}, text={"en": "Keep it."}, effective_from=today, by="system:test",
            is_quarterly=bool(quarter),
        )  # fmt: skip
        proof = attesting.Proof(timezone.now(), "password")
        attesting.sign(
            employee=ann, version=version, proof=proof, language="en", period=quarter, shown={"gaps": ["2026-10-01"]}
        )
    days = {"starts_on": today, "ends_on": today + timedelta(days=9)}
    course = Course.objects.get()
    ask = exempting.ask(employee=ann, course=course, reason="abroad", by=firm["head"], **days)
    exempting.decide(ask=ask, by=firm["compliance"], refused_why="not abroad")
    people.make_tag(slug="licensed", name="Licensed", by="system:test")
    people.set_tags(employee=ann, tags=["licensed"], by="system:test")
    with transaction.atomic():
        moved = {"course": course.slug, "cycle": 1, "due_on": "2026-12-31", "due_on_before": "2026-12-01"}
        ledger.append(verb="training.due_moved", actor="system:rules", subject=ann.uid, body={**moved, "because": {}})
        past = {"course": course.slug, "cycle": 2, "edition": 1, "completed_on": "2025-01-01", "percent": 90}
        past |= {"expires_on": "2026-01-01", "file": "0" * 64, "line": 7}
        ledger.append(verb="training.completion_imported", actor="system:test", subject=ann.uid, body=past)
    pack = make_pack()
    files = files_of(pack)
    assert [(row["policy"], row["version"], row["period"]) for row in table(files, "attested")] == [
        ("messaging", "1", ""), ("statement", "1", "2026-Q4"),
    ]  # fmt: skip
    assert {row["shown"] for row in table(files, "attested")} == {'{"gaps":["2026-10-01"]}'}
    assert [(row["what"], row["reason"]) for row in table(files, "asked")] == [
        ("training.exemption_asked", "abroad"), ("training.exemption_refused", "not abroad"),
    ]  # fmt: skip
    assert [row["due_on"] for row in table(files, "duty")] == ["2026-12-31"]
    assert [row["line"] for row in table(files, "imported")] == ["7"]
    assert [row["after"] for row in table(files, "employment") if row["what"] == "people.tags_set"] == ['["licensed"]']
    folder = unpacked(files, tmp_path / "pack")
    assert checked(folder)[0] == 0
    for name, old, new in (("attested", b"messaging", b"messages"), ("duty", b"2026-12-31", b"2027-12-31")):
        forged = unpacked(files | {f"{name}.csv": files[f"{name}.csv"].replace(old, new)}, tmp_path / name)
        assert checked(forged)[0] == 1
    kept = [line for line in files["attested.csv"].splitlines(keepends=True) if b"statement" not in line]
    assert checked(unpacked(files | {"attested.csv": b"".join(kept)}, tmp_path / "gone"))[0] == 1


def test_it_holds_nothing_about_anybody_else(make_pack, firm):
    content = b"".join(files_of(make_pack()).values())
    assert firm["ann"].uid.encode() in content
    for other in ("bea", "other"):
        assert firm[other].uid.encode() not in content


def test_no_cell_is_a_formula(make_pack):
    for name, content in files_of(make_pack()).items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
                assert not [cell for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")], name


def test_a_stranger_with_nothing_but_python_finds_that_all_of_it_holds(make_pack, tmp_path):
    pack = make_pack()
    file = tmp_path / "pack.zip"
    file.write_bytes(bytes_of(pack))
    folder = unpacked(files_of(pack), tmp_path / "pack")
    for what, checker in ((file, CHECKER), (folder, folder / "check_pack.py")):
        code, said = checked(what, checker=checker)
        assert code == 0, said
        assert "ALL THAT CAN BE CHECKED HOLDS." in said
        assert "可核验的内容全部成立。" in said
        assert "rows in 23 tables say what their entries say" in said
        assert "2 quiz papers are what was put before the person" in said
        assert "1 of 1 people bear the names" in said
        assert "That what was entered was true." in said


def test_with_a_key_and_a_seal_from_elsewhere_it_proves_more(make_pack, firm, tmp_path):
    folder = unpacked(files_of(make_pack()), tmp_path / "pack")
    seal = tmp_path / "seal-00000001.txt"
    seal.write_text(Seal.objects.get(number=1).note)
    key = str(keys.public_keys()[0])
    code, said = checked(folder, "--key", key, "--seal", str(seal), "--lang", "en")
    assert code == 0, said
    assert "seal-00000001.txt: the seal of" in said
    assert "joined to the one that you said you trust" in said
    assert "That this key is the firm's" not in said
    assert "nobody who has the firm's key wrote" not in said


def test_keys_that_were_handed_over_are_trusted_by_who_trusts_the_first(make_pack, firm, tmp_path):
    first = str(keys.public_keys()[0])
    keys.rotate(by="system:test", reason="yearly")
    files = files_of(make_pack())
    folder = unpacked(files, tmp_path / "pack")
    code, said = checked(folder, "--key", first)
    assert code == 0, said
    keys.replace_lost(by="system:test", reason="lost")
    code, said = checked(unpacked(files_of(make_pack()), tmp_path / "later"), "--key", first)
    assert code == 1
    assert "None" not in said


def test_the_same_request_gives_the_same_bytes_and_tomorrow_the_same_as_yesterday(make_pack, firm):
    today = timezone.localdate()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        before = bytes_of(make_pack("department", department=firm["desk"], day=today))
        studying.read_and_try(studying.assign(firm["bea"]), 1)
        people.set_manager(employee=firm["bea"], manager=firm["other"], by="system:test")
        firm["ann"].name_en = "Ann Newname"
        firm["ann"].save()
        with transaction.atomic():
            told = {"before": {"name_en": "=Ann"}, "after": {"name_en": "Ann Newname"}}
            ledger.append(verb="people.changed", actor="system:hr", subject=firm["ann"].uid, body=told)
        standing.catch_up()
        ledger.seal()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        after = bytes_of(make_pack("department", department=firm["desk"], day=today))
    assert before == after
    names = {row["name_en"] for row in table(files_in(after), "people")}
    assert names == {"'=Ann", "Bea", "Head"}


def files_in(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_department_is_who_stood_in_it_and_below_it_then(make_pack, firm, tmp_path):
    files = files_of(make_pack("department", department=firm["desk"]))
    assert {row["name_en"] for row in table(files, "people")} == {"'=Ann", "Bea", "Head"}
    code, said = checked(unpacked(files, tmp_path / "pack"), "--lang", "en")
    assert code == 0, said
    assert "they speak of other people too" not in said
    assert len(table(files, "captured")) == 2


def test_the_firm_needs_a_second_person_who_is_another(firm, make_pack, tmp_path):
    pack = services.ask(scope="firm", day=timezone.localdate(), reason="inspection", by=firm["compliance"])
    assert (pack.state, pack.job) == ("asked", None)
    with pytest.raises(services.NotYours):
        services.decide(pack=pack, approve=True, reason="", by=firm["compliance"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Pack.objects.filter(pk=pack.pk).update(state="making")
    with pytest.raises(IntegrityError), transaction.atomic():
        Pack.objects.filter(pk=pack.pk).update(state="making", decided_by=firm["compliance"], decided_at=timezone.now())
    pack = made(services.decide(pack=pack, approve=True, reason="", by=firm["auditor"]))
    assert len(table(files_of(pack), "people")) == 4 == pack.figures["people"]
    assert checked(unpacked(files_of(pack), tmp_path / "pack"))[0] == 0
    with pytest.raises(services.AlreadyDecided):
        services.decide(pack=pack, approve=False, reason="late", by=firm["auditor"])
    assert verbs() == ["evidence.pack_asked", "evidence.pack_approved", "evidence.pack_made"]


def test_a_firm_is_not_carried_out_by_departments(firm, monkeypatch):
    """Three people are in the department: twice, and it would be more than four."""
    monkeypatch.setattr(services, "ALONE", 4)
    about = {"day": timezone.localdate(), "reason": "inspection", "by": firm["compliance"]}
    first = services.ask(scope="department", department=firm["desk"], **about)
    assert (first.people, first.needs_approval, first.state) == (3, False, "making")
    one = services.ask(scope="person", person=firm["ann"], **about)
    assert (one.people, one.needs_approval) == (1, False)
    again = services.ask(scope="department", department=firm["desk"], **about)
    assert (again.needs_approval, again.state, again.job) == (True, "asked", None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Pack.objects.filter(pk=again.pk).update(state="making")
    other = services.ask(**about | {"by": firm["auditor"]}, scope="department", department=firm["desk"])
    assert not other.needs_approval
    Pack.objects.filter(pk=first.pk).update(asked_at=timezone.now() - services.WITHIN)
    assert not services.ask(scope="department", department=firm["desk"], **about).needs_approval
    said = [ledger.body_of(entry) for entry in Entry.objects.filter(verb="evidence.pack_asked").order_by("seq")]
    assert [(one["people"], one["needs_approval"]) for one in said[:3]] == [(3, False), (1, False), (3, True)]


def test_who_may_make_none_asks_and_decides_nothing_through_any_door(firm):
    about = {"day": timezone.localdate(), "reason": "inspection"}
    with pytest.raises(PermissionDenied):
        services.ask(scope="firm", by=firm["head"], **about)
    pack = services.ask(scope="firm", by=firm["compliance"], **about)
    with pytest.raises(PermissionDenied):
        services.decide(pack=pack, approve=True, reason="", by=firm["head"])


def test_asking_and_fetching_need_a_fresh_confirmation_of_who_one_is(make_pack, firm, sign_in):
    pack, client = make_pack(), sign_in(firm["compliance"])
    for url in (reverse("evidence:pack_list"), reverse("evidence:pack_file", args=[pack.uid])):
        answer = client.post(url, {"scope": "firm", "reason": "x", "day": timezone.localdate().isoformat()})
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert verbs() == ["evidence.pack_asked", "evidence.pack_made"]


def test_a_worker_that_lost_its_lease_keeps_the_next_one_waiting(firm):
    """Both would write into one folder. The one that comes while the other still writes tries again later."""
    pack = services.ask(scope="person", person=firm["ann"], day=timezone.localdate(), reason="x", by=firm["compliance"])
    with Workshop(pack.uid).alone():
        job = jobs.work(pack.job_id, making.step, prepare=making.ahead)
    assert (job.state, job.attempts) == ("waiting", 0)
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert made(pack).state == "ready"


def test_what_is_refused_is_never_made(firm):
    pack = services.ask(scope="firm", day=timezone.localdate(), reason="curious", by=firm["compliance"])
    with pytest.raises(services.ReasonMissing):
        services.decide(pack=pack, approve=False, reason=" ", by=firm["auditor"])
    pack = services.decide(pack=pack, approve=False, reason="no matter", by=firm["auditor"])
    assert (pack.state, pack.job) == ("refused", None)
    assert verbs() == ["evidence.pack_asked", "evidence.pack_refused"]


def test_every_export_and_every_download_is_an_entry(make_pack, firm, sign_in_anew):
    pack = make_pack()
    client, url = sign_in_anew(firm["compliance"]), reverse("evidence:pack_file", args=[pack.uid])
    for _ in range(2):
        response = client.post(url)
        assert b"".join(response) == bytes_of(pack)
        assert response.headers["Content-Disposition"].startswith("attachment")
    assert verbs() == ["evidence.pack_asked", "evidence.pack_made", *["evidence.pack_downloaded"] * 2]
    said = ledger.body_of(Entry.objects.get(verb="evidence.pack_made"))
    assert (said["sha256"], said["people"]) == (pack.sha256, 1)
    assert client.get(url).status_code == 405
    assert sign_in_anew(firm["auditor"]).post(url).status_code == 404  # another's, which nobody asked them about


def test_a_file_that_is_not_what_was_made_is_not_handed_out(make_pack, firm, sign_in_anew):
    pack = make_pack()
    with default_storage.open(pack.file.name, "r+b") as stream:
        stream.write(b"XX")
    client = sign_in_anew(firm["compliance"])
    client.raise_request_exception = False
    assert client.post(reverse("evidence:pack_file", args=[pack.uid])).status_code == 500
    assert "evidence.pack_downloaded" not in verbs()


def test_what_was_disposed_of_is_told_and_still_proved(make_pack, firm, tmp_path):
    finding = Entry.objects.get(verb="archive.slip_reported")
    ledger.dispose(seqs=[finding.seq], rule="R", citation="Law", asked_by="a", approved_by="b", by="system:test")
    files = files_of(make_pack())
    [row] = table(files, "slips")
    assert (row["entry"], row["note"]) == (str(finding.seq), "")
    for number, deed in enumerate(
        (cell("slips.csv", "note", "x"), cell("slips.csv", "at", "x"), doubled_row("slips.csv"))
    ):
        forged = dict(files)
        deed(forged)
        sign_again(forged)
        assert checked(unpacked(forged, tmp_path / str(number)))[0] == 1
    code, said = checked(unpacked(files, tmp_path / "pack"))
    assert code == 0, said
    assert "What 1 entries said: it was disposed of" in said


def test_a_pack_of_today_is_sealed_before_it_goes_out(make_pack, firm):
    sealed = Seal.objects.count()
    with transaction.atomic():
        ledger.append(verb="people.leave_set", actor="system:hr", subject=firm["ann"].uid, body={})
    pack = make_pack()
    assert Seal.objects.count() == sealed + 1
    assert Seal.objects.last().size >= pack.upto


@pytest.mark.parametrize(("days", "why"), [(1, "has not come"), (-400, "Nothing had been written")])
def test_a_day_that_cannot_be_answered_is_refused(firm, days, why):
    day = timezone.localdate() + timedelta(days=days)
    with pytest.raises(services.NotThatDay, match=why):
        services.ask(scope="firm", day=day, reason="x", by=firm["compliance"])


def test_who_lost_the_right_in_between_gets_nothing(firm):
    pack = services.ask(scope="person", person=firm["ann"], day=timezone.localdate(), reason="x", by=firm["compliance"])
    people.set_active(employee=firm["compliance"], active=False, by="system:test", reason="left")
    with pytest.raises(AssertionError, match="NobodyThere"):
        made(pack)
    assert not default_storage.exists(f"packs/{pack.uid}.zip")


def test_a_file_is_deleted_after_thirty_days_and_the_row_stays(make_pack):
    pack = make_pack()
    name = pack.file.name
    assert services.forget_old() == 0
    assert services.forget_old(now=timezone.now() + timedelta(days=31)) == 1
    pack.refresh_from_db()
    assert (pack.state, pack.file.name, default_storage.exists(name)) == ("forgotten", "", False)
    assert pack.sha256
    assert services.forget_old(now=timezone.now() + timedelta(days=31)) == 0
    assert verbs()[-1] == "evidence.pack_forgotten"


def test_nothing_is_left_in_the_workshop(make_pack, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        pack = make_pack()
    assert not workshop.Workshop(pack.uid).folder.exists()


def test_a_page_of_many_packs_costs_as_much_as_of_one(firm, sign_in, count_queries):
    client = sign_in(firm["compliance"])

    def ask() -> None:
        services.ask(scope="person", person=firm["ann"], day=timezone.localdate(), reason="x", by=firm["compliance"])

    ask()
    one = count_queries(lambda: client.get(reverse("evidence:pack_list")))
    for _ in range(5):
        ask()
    assert count_queries(lambda: client.get(reverse("evidence:pack_list"))) == one


def test_asking_on_the_page(firm, sign_in_anew):
    client, url = sign_in_anew(firm["compliance"]), reverse("evidence:pack_list")
    about = {"scope": "person", "day": timezone.localdate().isoformat(), "reason": "inspection"}
    assert "Nobody has this employee number or e-mail." in client.post(url, about | {"person": "nobody"}).text
    assert "Choose a department." in client.post(url, about | {"scope": "department"}).text
    answer = client.post(url, about | {"person": firm["ann"].employee_no})
    pack = Pack.objects.get()
    assert answer.url == reverse("evidence:pack", args=[pack.uid])
    assert (pack.person, pack.upto > 0, Job.objects.get(key=pack.uid).started_by) == (
        firm["ann"],
        True,
        firm["compliance"],
    )
    assert "being made" in client.get(answer.url).text


def test_every_table_of_a_pack_is_told_on_its_summary():
    from portal.evidence.summary import TABLES

    assert {section.file for section in ALL} | {"people.csv"} == TABLES.keys()


def test_the_list_of_files_names_every_column_and_its_source(make_pack):
    manifest = json.loads(files_of(make_pack())["manifest.json"])
    for section in manifest["sections"]:
        assert section["columns"][0] == ["entry", "entry.seq"]
        for name, source in section["columns"]:
            assert source.partition(".")[0] in {"", "entry", "body", "item", "edition"}, name


def test_the_checker_knows_how_the_tables_are_described_now():
    described = check_pack.canonical([section.as_json() for section in ALL])
    assert hashlib.sha256(described).hexdigest() == check_pack.KNOWN[0]
