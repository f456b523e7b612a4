"""The pages of imports, with and without JavaScript."""

import gzip
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from archive import services, tasks
from archive.models import Import, Message, SetAside, Source
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import FEED, line
from tests.archive.mails import mbox, zipped

pytestmark = pytest.mark.django_db
LIST = reverse("archive:import_list")


@pytest.fixture
def compliance(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def officer(compliance, sign_in):
    return sign_in(compliance)


@pytest.fixture
def run(staff, run_import) -> Import:
    run_import(FEED)
    return Import.objects.get()


def upload(client, content: bytes, source: str = "wecom", name: str = "october.jsonl"):
    return client.post(LIST, {"source": source, "file": SimpleUploadedFile(name, content)})


def aside_url(run: Import, line_no: int = 43) -> str:
    return reverse("archive:aside_file", args=[run.uid, line_no])


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def test_the_list_shows_each_feed_in_short(run, officer):
    page = soup(officer.get(LIST)).get_text(" ", strip=True)
    for words in (
        "wecom",
        "Delivers",
        "numbers missing",
        "1 handle matches nobody",
        "wecom-messages.jsonl",
        "59",
        "57",
    ):
        assert words in page


def test_a_run_shows_that_every_line_is_somewhere(run, officer):
    page = soup(officer.get(reverse("archive:import", args=[run.uid])))
    lines, stored = (
        [int(cell.get_text()) for cell in table.select("td.figure")] for table in page.select("#import-progress table")
    )
    assert lines == [57, 1, 0, 1, 59]
    assert stored == [53, 1, 2, 1, 0, 57]
    assert sum(lines[:-1]) == lines[-1]
    assert sum(stored[:-1]) == stored[-1] == lines[0]
    [form] = page.select("form.row[action*='/lines/']")
    assert form["action"].endswith("/lines/43/")


def test_a_line_set_aside_is_handed_out_as_a_file_and_noted(run, officer, compliance):
    response = officer.post(aside_url(run), {"reason": "asked by the puller's maker"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="line-43.txt"'
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content.endswith(b'"roo')
    entry = Entry.objects.get(verb="archive.aside_read")
    told = {"import": run.uid, "line": 43, "reason": "asked by the puller's maker"}
    assert (entry.actor, ledger.body_of(entry)) == (compliance.uid, told)


def test_a_line_set_aside_is_read_for_a_reason_only(run, officer):
    assert officer.get(aside_url(run)).status_code == 405
    response = officer.post(aside_url(run), {"reason": "  "}, follow=True)
    assert response.redirect_chain == [(reverse("archive:import", args=[run.uid]), 302)]
    assert "Say why" in response.content.decode()
    assert not Entry.objects.filter(verb="archive.aside_read").exists()


def test_an_auditor_sees_which_line_was_set_aside_and_not_its_words(run, make_employee, sign_in):
    auditor = sign_in(make_employee(roles=("Auditor",)))
    page = soup(auditor.get(reverse("archive:import", args=[run.uid])))
    assert "not JSON, or cut off" in page.get_text(" ", strip=True)
    assert not page.select("form[action*='/lines/']")
    assert auditor.post(aside_url(run), {"reason": "curious"}).status_code == 403
    assert not Entry.objects.filter(verb="archive.aside_read").exists()


def test_markup_in_a_feed_is_text_on_the_page(officer, run_import, write_feed):
    feed = [line(1, sender="<script>x</script>"), line(2, msgtype="<b>kind</b>"), b'{"seq":3,"msg":"<i>"}']
    run_import(write_feed(feed, "<img src=x>.jsonl"))
    for url in (LIST, reverse("archive:import", args=[Import.objects.get().uid])):
        page = officer.get(url).content.decode()
        assert "<img src=x>" not in page
        assert "<script>x" not in page
        assert "<b>kind" not in page


def test_an_upload_is_imported_by_a_job_and_the_file_is_removed(
    officer, compliance, django_capture_on_commit_callbacks
):
    response = upload(officer, FEED.read_bytes())
    run = Import.objects.get()
    assert response.url == reverse("archive:import", args=[run.uid])
    assert (run.state, run.started_by, run.label) == ("waiting", compliance, "october.jsonl")
    assert default_storage.exists(run.stored_file)
    stored_file, job = run.stored_file, run.job
    assert "october" not in stored_file
    with django_capture_on_commit_callbacks(execute=True):
        tasks.run_import(job.pk)
    run.refresh_from_db()
    job.refresh_from_db()
    assert (run.state, run.lines, run.stored, job.state) == ("done", 59, 57, Job.State.DONE)
    assert (job.done, job.total, job.result["set_aside"]) == (run.size, run.size, 1)
    assert not default_storage.exists(stored_file)
    assert run.source.held_by == ""


def test_the_same_file_uploaded_while_it_is_read_is_the_same_import(officer):
    first, second = upload(officer, FEED.read_bytes()), upload(officer, FEED.read_bytes())
    assert first.url == second.url
    assert len(default_storage.listdir("feeds")[1]) == 1


def test_progress_is_the_part_of_the_page_it_replaces_and_asks_again(officer):
    upload(officer, FEED.read_bytes())
    url = reverse("archive:import", args=[Import.objects.get().uid])
    [in_page] = soup(officer.get(url)).select("#import-progress")
    response = officer.get(url, headers={"HX-Request": "true"})
    [alone] = soup(response).select("section")
    assert alone == in_page
    assert (alone["hx-get"], alone["hx-trigger"]) == (url, "every 2s")
    assert "HX-Refresh" not in response.headers


def test_progress_that_has_ended_asks_no_more_and_brings_the_page_up_to_date(run, officer):
    response = officer.get(reverse("archive:import", args=[run.uid]), headers={"HX-Request": "true"})
    [alone] = soup(response).select("section")
    assert "hx-get" not in alone.attrs
    assert response.headers["HX-Refresh"] == "true"


def test_an_upload_whose_file_is_gone_ends_as_failed_and_can_be_uploaded_again(officer, staff):
    upload(officer, FEED.read_bytes())
    run = Import.objects.get()
    default_storage.delete(run.stored_file)
    tasks.run_import(run.job.pk)
    run.refresh_from_db()
    assert (run.state, run.is_ended) == ("failed", True)
    assert "Upload it again" in officer.get(reverse("archive:import", args=[run.uid])).content.decode()
    upload(officer, FEED.read_bytes())
    tasks.run_import(Import.objects.exclude(pk=run.pk).get().job.pk)
    assert Message.objects.count() == 57


def test_a_job_that_is_cut_off_goes_on(officer, staff, monkeypatch):
    from archive.services import running

    monkeypatch.setattr(running, "BATCH_LINES", 10)
    upload(officer, FEED.read_bytes())
    run = Import.objects.get()
    with services.Uploads() as uploads:
        uploads.run_some(run.job)
        uploads.run_some(run.job)
    tasks.run_import(run.job.pk)
    run.refresh_from_db()
    assert (run.state, run.lines, run.stored, run.batch_no) == ("done", 59, 57, 6)


def test_an_upload_whose_job_was_given_up_says_so_and_begins_anew(officer, staff):
    upload(officer, FEED.read_bytes())
    run = Import.objects.get()
    ended = {"state": Job.State.FAILED, "ended_at": timezone.now(), "error": "SourceBusy"}
    Job.objects.filter(pk=run.job.pk).update(**ended)
    page = soup(officer.get(reverse("archive:import", args=[run.uid])))
    assert "stopped with SourceBusy" in page.get_text(" ", strip=True)
    assert "hx-get" not in page.select_one("#import-progress").attrs
    upload(officer, FEED.read_bytes())
    run.refresh_from_db()
    anew = Import.objects.exclude(pk=run.pk).get()
    assert (run.state, anew.state) == ("failed", "waiting")
    tasks.run_import(anew.job.pk)
    assert Message.objects.count() == 57


def test_an_upload_for_a_busy_source_waits_without_counting_attempts(officer, staff):
    upload(officer, FEED.read_bytes())
    run = Import.objects.get()
    other = {"held_by": "job:other", "held_until": timezone.now() + timedelta(minutes=2)}
    Source.objects.filter(pk=run.source_id).update(**other)
    tasks.run_import(run.job_id)
    job = Job.objects.get()
    assert (job.state, job.attempts, job.error) == (Job.State.WAITING, 0, "")
    assert job.due_at > timezone.now()
    Source.objects.update(held_by="", held_until=None)
    Job.objects.update(due_at=timezone.now())
    tasks.run_import(run.job_id)
    assert Import.objects.get().state == "done"


def test_who_started_an_upload_that_was_given_up_starts_it_again(officer, make_employee, sign_in, staff):
    upload(officer, FEED.read_bytes())
    run = Import.objects.get()
    Job.objects.update(state=Job.State.FAILED, ended_at=timezone.now(), error="OSError")
    url = reverse("archive:import", args=[run.uid])
    [form] = soup(officer.get(url)).select("#import-progress form")
    assert form.select_one("[name=csrfmiddlewaretoken]")
    assert officer.post(form["action"]).status_code == 302
    assert Job.objects.get().state == Job.State.WAITING
    Job.objects.update(state=Job.State.FAILED, ended_at=timezone.now())
    other = sign_in(make_employee(roles=("Compliance",)))
    assert not soup(other.get(url)).select("#import-progress form")


def test_a_line_whose_bytes_are_gone_says_so(run, officer):
    SetAside.objects.update(sealed=None, key_id="", delete_after=None)
    page = soup(officer.get(reverse("archive:import", args=[run.uid])))
    assert [form["action"].rsplit("/", 3)[1:] for form in page.select("form[action*='/lines/']")] == [
        ["43", "repair", ""],
        ["43", "settle", ""],
    ]
    assert "Bytes deleted" in page.get_text(" ", strip=True)
    assert officer.post(aside_url(run), {"reason": "to look"}).status_code == 404


@pytest.mark.parametrize(
    ("content", "source", "words"),
    [
        (b"", "wecom", "The submitted file is empty"),
        (b"x", "two words", "no spaces"),
        (b"x", "", "required"),
    ],
)
def test_an_upload_that_cannot_be_taken_is_explained(officer, content, source, words):
    response = upload(officer, content, source)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Import.objects.exists()


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lambda raw: zipped([("a.eml", raw)]), lambda raw: mbox([raw])])
def test_an_upload_is_read_as_what_its_source_is(officer, wrap):
    services.get_source("mail", terms=services.Terms(kind="mail"))
    upload(officer, wrap(b"From: li.na@example.com\nTo: wang@example.com\n\nhello"), "mail")
    tasks.run_import(Import.objects.get().job.pk)
    assert [one.sender for one in Message.objects.all()] == ["li.na@example.com"]


def test_an_auditor_sees_and_starts_nothing(run, make_employee, sign_in):
    auditor = sign_in(make_employee(roles=("Auditor",)))
    page = soup(auditor.get(LIST))
    assert not page.select("input[type=file]")
    assert auditor.get(reverse("archive:import", args=[run.uid])).status_code == 200
    assert upload(auditor, b"x").status_code == 403
    assert Import.objects.count() == 1


@pytest.mark.parametrize("roles", [(), ("HR",), ("Author",)])
def test_nobody_else_comes_in(run, make_employee, sign_in, roles):
    client = sign_in(make_employee(roles=roles))
    urls = [LIST, reverse("archive:import", args=[run.uid])]
    assert [client.get(url).status_code for url in urls] == [403, 403]
    assert client.post(aside_url(run), {"reason": "curious"}).status_code == 403
    assert upload(client, b"x").status_code == 403


def test_what_is_not_there_is_a_404(run, officer):
    assert officer.get(reverse("archive:import", args=["nothing"])).status_code == 404
    assert officer.post(aside_url(run, 44), {"reason": "to look"}).status_code == 404


def test_the_list_costs_the_same_for_one_run_and_for_ten(officer, run_import, write_feed, count_queries):
    run_import(write_feed([line(1)]))
    officer.get(LIST)
    one = count_queries(lambda: officer.get(LIST))
    for n in range(9):
        run_import(write_feed([line(n + 2)], f"{n}.jsonl"))
    assert count_queries(lambda: officer.get(LIST)) == one


def test_set_aside_lines_are_paged(officer, run_import, write_feed):
    run_import(write_feed([b"broken"] * 45))
    url = reverse("archive:import", args=[Import.objects.get().uid])
    assert len(soup(officer.get(url)).select("form.row[action*='/lines/']")) == 20
    last = soup(officer.get(url + "?page=3"))
    assert len(last.select("form.row[action*='/lines/']")) == 5
    assert "Page 3 of 3" in last.get_text(" ", strip=True)
