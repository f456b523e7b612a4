"""Two clicks from a handle to a person, and the way back; lines set aside, looked at and repaired in the browser."""

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from archive import sealing, services, tasks
from archive.models import Finding, Identity, Import, Message, Robot, SetAside, Source, Unmatched
from archive.services import matching
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from tests.archive.conftest import CLIENT, as_bytes, at, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def client(officer, sign_in):
    return sign_in(officer)


@pytest.fixture
def auditor(make_employee, sign_in):
    return sign_in(make_employee(roles=("Auditor",)))


@pytest.fixture
def sun(make_employee) -> Employee:
    return make_employee(name_en="Sun Yan", name_zh="孙燕")


@pytest.fixture
def strange(make_employee, run_import, write_feed) -> Unmatched:
    make_employee(wecom_userid="zhangwei", name_en="Zhang Wei")
    feed = [line(1, sender="s.yan", to=(CLIENT,), sent=at(12)), line(2, sender="s.yan", sent=at(14))]
    run_import(write_feed(feed))
    return Unmatched.objects.get()


def url(row: Unmatched) -> str:
    return reverse("archive:handle", args=[row.pk])


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def text(response) -> str:
    return soup(response).get_text(" ", strip=True)


def work() -> None:
    for job in Job.objects.filter(kind=matching.TASK, state=Job.State.WAITING):
        tasks.rematch(job.pk)


def test_a_handle_is_matched_in_two_clicks(client, strange, sun, make_employee):
    make_employee(name_en="Yan Sun")
    page = soup(client.get(reverse("archive:source", args=["wecom"])))
    [link] = page.select("#handles a[href*='/handles/']")
    page = soup(client.get(link["href"]))
    for said in ("s.yan", "12 Oct 2026, 10:00", "14 Oct 2026, 10:00", "Zhang Wei"):
        assert said in page.get_text(" ", strip=True)
    found = soup(client.post(url(strange), {"q": "孙燕"}, headers={"HX-Request": "true"}))
    [button] = found.select("#candidates button")
    response = client.post(url(strange), {"q": "孙燕", button["name"]: button["value"]}, follow=True)
    assert response.redirect_chain == [(reverse("archive:source", args=["wecom"]) + "#handles", 302)]
    assert "s.yan is Sun Yan 孙燕" in text(response)
    assert Identity.objects.get(origin="admin").employee == sun
    work()
    assert "Matched by hand" in text(client.get(reverse("archive:source", args=["wecom"])))


def test_likely_people_are_offered_at_once(client, run_import, write_feed, make_employee):
    sun = make_employee(name_en="Yan Sun")
    run_import(write_feed([line(1, sender="sunyan")]))
    page = soup(client.get(url(Unmatched.objects.get(handle="sunyan"))))
    assert [button["value"] for button in page.select("#match li button")] == [sun.uid]


def test_the_search_works_without_javascript_and_its_text_is_in_no_address(client, strange, sun):
    page = soup(client.post(url(strange), {"q": "Sun", "find": "1"}))
    assert [button["value"] for button in page.select("#candidates button")] == [sun.uid]
    assert page.select_one("#q")["value"] == "Sun"
    assert page.select_one("#match")["method"] == "post"
    assert not Identity.objects.filter(origin="admin").exists()


def test_candidates_are_the_part_of_the_page_they_replace(client, strange, sun):
    [in_page] = soup(client.post(url(strange), {"q": "Sun", "find": "1"})).select("#candidates")
    [alone] = soup(client.post(url(strange), {"q": "Sun"}, headers={"HX-Request": "true"})).select("div")
    assert alone == in_page
    assert "Nobody was found." in text(client.post(url(strange), {"q": "nobody"}, headers={"HX-Request": "true"}))


def test_only_some_days_may_be_named(client, strange, sun):
    given = {"employee": sun.uid, "first_on": "2026-10-13", "last_on": ""}
    client.post(url(strange), given)
    assert Identity.objects.get(origin="admin").valid_from is not None
    page = soup(client.post(url(strange), {**given, "first_on": "2026-10-20", "last_on": "2026-10-01"}))
    assert "The last day comes before the first." in page.get_text()
    assert page.select_one("#id_first_on")["value"] == "2026-10-20"
    assert "Enter a valid date" in text(client.post(url(strange), {**given, "first_on": "soon"}))


def test_a_person_who_is_not_there_is_a_404(client, strange):
    assert client.post(url(strange), {"employee": "nobody"}).status_code == 404
    assert client.post(url(strange), {}).status_code == 404
    assert Unmatched.objects.count() == 1


def test_a_handle_is_declared_to_be_no_person(client, strange):
    assert "Say what it is" in text(client.post(url(strange), {"robot": "1", "reason": " "}))
    client.post(url(strange), {"robot": "1", "reason": "the desk's shared phone"})
    assert Robot.objects.get().reason == "the desk's shared phone"
    page = text(client.get(reverse("archive:source", args=["wecom"])))
    assert "No person: the desk's shared phone" in page


def test_a_handle_that_was_matched_meanwhile_is_told(client, strange, sun, officer):
    services.match_handle(row=strange, employee=sun, first_on=None, last_on=None, by=officer)
    assert client.get(url(strange)).status_code == 404
    response = client.post(url(strange), {"employee": sun.uid}, follow=True)
    assert "matched meanwhile" in text(response)


def test_a_match_is_undone_from_the_page_of_the_feed(client, strange, sun, officer):
    services.match_handle(row=strange, employee=sun, first_on=None, last_on=None, by=officer)
    source = reverse("archive:source", args=["wecom"])
    [form] = soup(client.get(source)).select("form[action*='/matches/']")
    given = {"source": form.select_one("[name=source]")["value"], "reason": ""}
    assert "Say why it was wrong." in text(client.post(form["action"], given, follow=True))
    assert "That is not a day." in text(client.post(form["action"], {**given, "ends_on": "soon"}, follow=True))
    response = client.post(form["action"], {**given, "reason": "another one"}, follow=True)
    assert response.redirect_chain == [(f"{source}#matched", 302)]
    assert Unmatched.objects.get().handle == "s.yan"
    assert Finding.objects.get(kind="unmatched_identity").is_open
    assert client.post(form["action"], {**given, "reason": "again"}).status_code == 404


def test_a_declaration_is_undone_and_goes_back_to_no_strange_place(client, strange, officer):
    robot = services.declare_robot(row=strange, first_on=None, last_on=None, reason="a test", by=officer)
    given = {"source": "https://example.com/", "reason": "a person after all", "ends_on": ""}
    response = client.post(reverse("archive:robot_undo", args=[robot.pk]), given)
    assert response.url == reverse("archive:import_list")
    assert not Robot.objects.exists()


def test_what_hr_says_cannot_be_undone_here(client, strange):
    hrs = Identity.objects.get(handle="zhangwei")
    assert client.post(reverse("archive:match_undo", args=[hrs.pk]), {"reason": "x"}).status_code == 404


def test_an_auditor_sees_the_stranger_and_matches_nobody(auditor, strange, sun):
    page = soup(auditor.get(url(strange)))
    assert "14 Oct 2026" in page.get_text()
    assert not page.select("main form")
    for given in ({"q": "Sun"}, {"employee": sun.uid}, {"robot": "1", "reason": "x"}):
        assert auditor.post(url(strange), given).status_code == 403
        assert auditor.post(url(strange), given, headers={"HX-Request": "true"}).status_code == 403
    assert Unmatched.objects.count() == 1


def test_the_page_costs_the_same_for_few_messages_and_for_many(client, strange, count_queries, run_import, write_feed):
    client.get(url(strange))
    few = count_queries(lambda: client.get(url(strange)))
    run_import(write_feed([line(n, sender="s.yan") for n in range(10, 40)], "more.jsonl"))
    assert count_queries(lambda: client.get(url(strange))) == few


# --- lines set aside


@pytest.fixture
def aside(run_import, write_feed) -> SetAside:
    run_import(write_feed([line(1), b'{"seq": 2, "msg": "<script>x</script>'], "feed.jsonl"))
    return SetAside.objects.select_related("run").get()


def at_line(aside: SetAside, what: str) -> str:
    return reverse(f"archive:aside_{what}", args=[aside.run.uid, aside.line_no])


def test_a_line_is_looked_at_as_text_and_noted(client, aside, officer):
    response = client.post(at_line(aside, "look"), {"reason": "to mend it"})
    page = soup(response)
    assert page.select_one("pre.text").get_text() == '{"seq": 2, "msg": "<script>x</script>'
    assert page.select_one("textarea").get_text().strip() == '{"seq": 2, "msg": "<script>x</script>'
    assert "<script>x" not in response.content.decode()
    assert response.headers["Cache-Control"] == "no-store"
    entry = Entry.objects.get(verb="archive.aside_read")
    told = {"import": aside.run.uid, "line": 2, "reason": "to mend it"}
    assert (entry.actor, ledger.body_of(entry)) == (officer.uid, told)


def test_a_line_of_no_text_at_all_is_shown_too(client, run_import, write_feed):
    run_import(write_feed([b"\xff\xfe\x00bad"]))
    aside = SetAside.objects.select_related("run").get()
    page = soup(client.post(at_line(aside, "look"), {"reason": "to see"}))
    assert page.select_one("pre.text").get_text().startswith("\\xff\\xfe")


def test_a_line_is_looked_at_for_a_reason_only(client, aside):
    response = client.post(at_line(aside, "look"), {"reason": " "}, follow=True)
    assert "Say why" in text(response)
    assert client.get(at_line(aside, "look")).status_code == 405
    assert not Entry.objects.filter(verb="archive.aside_read").exists()


def test_a_repaired_line_is_read_and_leads_to_its_import(client, aside):
    response = client.post(at_line(aside, "repair"), {"text": as_bytes(line(2)).decode()}, follow=True)
    run = Import.objects.get(via="repair")
    assert response.redirect_chain == [(reverse("archive:import", args=[run.uid]), 302)]
    assert "Read in place of a line that was set aside" in text(response)
    assert Message.objects.count() == 2
    page = soup(client.get(reverse("archive:import", args=[aside.run.uid])))
    assert page.select(f"a[href='{reverse('archive:import', args=[run.uid])}']")
    assert not page.select("form[action$='/again/']")
    look = text(client.post(at_line(aside, "look"), {"reason": "once more"}))
    assert "This line was read again on" in look


def test_repaired_lines_may_be_a_file(client, aside):
    file = SimpleUploadedFile("mended.jsonl", as_bytes(line(2)) + b"\n" + as_bytes(line(3)))
    assert client.post(at_line(aside, "repair"), {"text": "", "file": file}).status_code == 302
    assert Message.objects.count() == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "still broken"}, "Line 1 still cannot be read: not JSON, or cut off."),
        ({"text": " \n"}, "There is no line in it."),
        ({"text": "{}\n" * 2001}, "2 MiB and 2,000 lines"),
        ({"text": "\ud800".encode("utf-8", "surrogatepass")}, "Line 1 still cannot be read"),
    ],
)
def test_what_cannot_be_read_is_explained_and_kept_in_the_form(client, aside, given, said):
    page = soup(client.post(at_line(aside, "repair"), given))
    assert said in page.get_text()
    aside.refresh_from_db()
    assert aside.repaired_by is None


def test_too_large_a_file_is_explained(client, aside, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**23
    file = SimpleUploadedFile("large.jsonl", b"x" * (2**21 + 1))
    assert "2 MiB and 2,000 lines" in text(client.post(at_line(aside, "repair"), {"text": "", "file": file}))


def test_a_line_whose_bytes_are_gone_can_still_be_repaired(client, aside):
    SetAside.objects.update(sealed=None, key_id="", delete_after=None)
    page = soup(client.post(at_line(aside, "repair")))
    assert page.select_one("textarea").get_text().strip() == ""
    assert not page.select(".errors, .note.bad")
    assert client.post(at_line(aside, "repair"), {"text": as_bytes(line(2)).decode()}).status_code == 302


def test_a_line_is_read_again_as_it_is(client, aside, monkeypatch):
    response = client.post(at_line(aside, "again"), follow=True)
    assert "Line 2 still cannot be read: not JSON, or cut off." in text(response)
    raw = as_bytes(line(2))
    monkeypatch.setattr(sealing, "unseal", lambda sealed, name: raw)  # as if a newer version understood it
    assert client.post(at_line(aside, "again")).url == reverse("archive:import", args=[Import.objects.last().uid])
    assert "repaired before" in text(client.post(at_line(aside, "again"), follow=True))


def test_a_line_under_a_key_that_is_gone_says_so(client, aside):
    SetAside.objects.update(key_id="gone")
    for what in ("look", "file"):
        assert "key gone, which the site no longer has" in text(
            client.post(at_line(aside, what), {"reason": "x"}, follow=True)
        )
    assert "key gone, which the site no longer has" in text(client.post(at_line(aside, "again"), follow=True))


def test_a_busy_source_is_told_in_the_form(client, aside):
    from datetime import timedelta

    from django.utils import timezone

    Source.objects.update(held_by="job:other", held_until=timezone.now() + timedelta(minutes=2))
    said = "being imported just now"
    assert said in text(client.post(at_line(aside, "repair"), {"text": as_bytes(line(2)).decode()}))
    SetAside.objects.update(sealed=sealing.seal(as_bytes(line(2)))[0])
    assert said in text(client.post(at_line(aside, "again"), follow=True))


@pytest.mark.parametrize("what", ["look", "repair", "again", "file"])
def test_an_auditor_reads_and_repairs_no_line(auditor, aside, what):
    assert auditor.post(at_line(aside, what), {"reason": "x", "text": "{}"}).status_code == 403
    assert not Entry.objects.filter(verb__in=["archive.aside_read", "archive.aside_repaired"]).exists()


# --- lines set aside that nobody can read, or needs to


def test_a_line_that_is_here_by_another_is_told_and_settled_with_a_reason(client, officer, run_import, write_feed):
    run_import(write_feed([as_bytes(line(2))[:-3], line(2), b"this is not json"]))
    run = Import.objects.get()
    page = reverse("archive:import", args=[run.uid])
    assert "2 which is here" in text(client.get(page))
    assert "2 lines set aside are open" in text(client.get(reverse("archive:import_list")))
    settle = reverse("archive:aside_settle", args=[run.uid, 1])
    for told in ({"settled_as": "here"}, {"settled_as": "gone", "reason": "x"}, {"reason": "x"}):
        client.post(settle, told)
    assert not SetAside.objects.exclude(settled_as="").exists()
    client.post(settle, {"settled_as": "here", "reason": "line 2 has it whole"})
    run.refresh_from_db()
    assert (run.set_aside, run.open_asides) == (2, 1)
    told = text(client.get(page))
    assert "what it held is here by another line" in told
    assert "line 2 has it whole" in told
    body = ledger.body_of(Entry.objects.get(verb="archive.aside_settled"))
    assert (body["line"], body["as"], body["reason"]) == (1, "here", "line 2 has it whole")
    aside = SetAside.objects.get(line_no=1)
    with pytest.raises(services.AlreadySettled):
        services.settle_aside(aside=aside, decision="lost", reason="x", by=officer)


def test_imports_with_open_lines_are_listed_until_each_is_settled(client, officer, run_import, write_feed):
    run_import(write_feed([line(1)], "whole.jsonl"))
    run_import(write_feed([line(2), b"no json", as_bytes(line(3))[:-3]], "broken.jsonl"))
    run = Import.objects.get(label="broken.jsonl")
    listed = {"lines": "open"}
    rows = text(client.get(reverse("archive:import_list"), listed, headers={"HX-Request": "true"}))
    assert ("broken.jsonl" in rows, "whole.jsonl" in rows) == (True, False)
    assert "done, 2 lines set aside" in rows
    services.repair(aside=SetAside.objects.get(line_no=3), raw=as_bytes(line(3)), by=officer)
    services.settle_aside(aside=SetAside.objects.get(line_no=2), decision="nothing", reason="a heading", by=officer)
    run.refresh_from_db()
    assert run.open_asides == 0
    rows = text(client.get(reverse("archive:import_list"), listed, headers={"HX-Request": "true"}))
    assert "broken.jsonl" not in rows
    assert "set aside are open" not in text(client.get(reverse("archive:import_list")))


def test_a_line_that_was_settled_and_is_read_after_all_counts_once(officer, run_import, write_feed):
    run_import(write_feed([as_bytes(line(2))[:-3]]))
    aside = SetAside.objects.get()
    services.settle_aside(aside=aside, decision="lost", reason="nobody has it", by=officer)
    services.repair(aside=aside, raw=as_bytes(line(2)), by=officer)
    assert Import.objects.get(via="file").open_asides == 0


# --- why somebody is likely, and when it is done


def test_who_has_talked_with_a_handle_is_hardly_its_owner(client, run_import, write_feed, make_employee):
    make_employee(wecom_userid="guo.na1", name_en="Guo Na", email="guona@example.com")
    make_employee(name_en="Na Guo", email="other@example.com")
    run_import(write_feed([line(1, sender="na.guo", to=("guo.na1",))]))
    page = soup(client.get(url(Unmatched.objects.get())))
    offered = [one.get_text(" ", strip=True) for one in page.select("ul.plainlist li")]
    assert [("Guo Na" in one, "has talked with this handle" in one) for one in offered] == [
        (False, False),
        (True, True),
    ]
    assert "Spelled like the name Na Guo" in offered[0]


def test_what_is_still_computed_after_a_match_is_told_until_it_is_done(client, strange, sun):
    client.post(url(strange), {"employee": sun.uid})
    page = reverse("archive:source", args=["wecom"])
    assert "being computed again just now" in text(client.get(page))
    for job in Job.objects.filter(kind=matching.TASK):
        tasks.rematch(job.pk)
    assert "being computed again just now" not in text(client.get(page))
