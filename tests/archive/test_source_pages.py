"""The pages of one feed: its health, settings, tokens, holes and kinds; and the list that leads to them."""

from datetime import date, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone, translation

from archive import services
from archive.models import Finding, Hole, Import, Intake, Source, SourceToken
from archive.templatetags.spans import span, span_of
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import FEED, FRIDAY_EVENING, as_bytes, line
from tests.archive.test_push import push, token, work  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("archive:import_list"), reverse("archive:source_new")
PAGE, SETTINGS = reverse("archive:source", args=["wecom"]), reverse("archive:source_settings", args=["wecom"])


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
def source(officer) -> Source:
    return services.get_source("wecom")


@pytest.fixture
def sample(staff, run_import) -> Source:
    with time_machine.travel(FRIDAY_EVENING):
        run_import(FEED)
    return Source.objects.get()


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(response) -> str:
    return soup(response).get_text(" ", strip=True)


def rows(page: BeautifulSoup, part: str) -> list[list[str]]:
    found = page.select(f"#{part} tbody tr")
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in found]


# --- health


def test_the_page_says_how_the_feed_is_doing(sample, client):
    with time_machine.travel(FRIDAY_EVENING):
        page = soup(client.get(PAGE))
    text = page.get_text(" ", strip=True)
    for said in ("WeCom archive", "Asia/Shanghai", "1 h", "Delivers", "Last sign of a pull: 16 Oct 2026, 18:00"):
        assert said in text
    numbers = sample.last_seq - sample.first_seq + 1
    missing = sum(hole.length for hole in Hole.objects.all())
    assert f"{numbers - missing} of {numbers}" in text
    assert rows(page, "handles")[0][0] == "sunyan"
    assert rows(page, "kinds")[0][0] == "ai_summary_card"
    assert len(rows(page, "findings")) == Finding.objects.open().filter(employee=None).count()


def test_records_that_could_not_be_decrypted_are_told_by_key(client, run_import, write_feed):
    dark = [{"seq": n, "msgid": f"m{n}", "publickey_ver": n // 4, "error": 10007} for n in (1, 4, 5)]
    run_import(write_feed(dark))
    page = soup(client.get(PAGE))
    assert [row[:4] for row in rows(page, "unreadable")] == [["0", "10007", "1", "1"], ["1", "10007", "2", "4 to 5"]]


@pytest.mark.parametrize(("days", "said"), [(4, "until 21 Oct 2026, 18:00"), (6, "no more: settle the finding")])
def test_an_unreadable_record_can_be_fetched_again_for_five_days(client, run_import, write_feed, days, said):
    at = int(FRIDAY_EVENING.timestamp() * 1000)
    with time_machine.travel(FRIDAY_EVENING + timedelta(days=days)):
        run_import(write_feed([{"seq": 1, "msgid": "m1", "publickey_ver": 1, "pulled_at": at, "error": 10007}]))
        [row] = rows(soup(client.get(PAGE)), "unreadable")
    assert row[4].startswith(said)


def test_numbers_that_are_explained_are_not_missing(client, run_import, write_feed, officer):
    run_import(write_feed([line(1), line(4), line(10)]))
    assert "30.00 %: 3 of 10" in words(client.get(PAGE))
    source = Source.objects.get()
    services.settle_hole(source=source, first=5, decision="explained", reason="never sent", by=officer)
    page = words(client.get(PAGE))
    assert "60.00 %: 3 of 5 5 numbers are explained and not counted." in page
    assert "2 numbers missing" in words(client.get(LIST))


def test_a_feed_says_what_its_silence_is_and_that_nothing_has_come(source, client):
    assert "Nothing has come yet" in words(client.get(PAGE))
    Source.objects.update(created_at=timezone.now() - timedelta(hours=30))
    assert "No sign of a pull since" in words(client.get(PAGE))


def test_every_line_of_a_month_is_somewhere(sample, client):
    month, _kinds, _gaps = rows(soup(client.get(PAGE)), "months")
    assert month == ["October 2026", "1", "59", "57", "1", "0", "1"]
    assert sum(int(count) for count in month[3:]) == int(month[2])


def test_the_silence_is_told_with_its_limits_and_why(source, client):
    Source.objects.update(created_at=timezone.now() - timedelta(hours=30))
    text = words(client.get(PAGE))
    assert "Silent" in text
    assert "No record came in the last four weeks" in text
    assert "Attention after 24 h, breach after 3 days; after 5 days what is older is gone from WeCom." in text
    Source.objects.update(retired_on=timezone.localdate())
    assert "It is retired and may be silent." in words(client.get(PAGE))


def test_what_was_lost_is_told_with_its_span(sample, client):
    with time_machine.travel(FRIDAY_EVENING + timedelta(days=6)):
        services.refresh_findings()
        text = words(client.get(PAGE))
    assert "Records are being lost" in text
    assert "to 17 Oct 2026, 18:00 was not pulled in time and is lost" in text


def test_pushes_that_wait_are_told(client, push):  # noqa: F811
    push([line(1)])
    assert "1 delivery" in words(client.get(PAGE))
    work()
    assert "Waiting to be judged" not in words(client.get(PAGE))


def test_the_page_costs_the_same_for_little_and_for_much(client, run_import, write_feed, count_queries):
    run_import(write_feed([line(1), line(3, sender="s0"), line(4, msgtype="k0")]))
    client.get(PAGE)
    few = count_queries(lambda: client.get(PAGE))
    many = [line(10 + 2 * n, sender=f"s{n}", msgtype=f"k{n}") for n in range(30)]
    run_import(write_feed(many, "more.jsonl"))
    assert count_queries(lambda: client.get(PAGE)) == few


def test_long_lists_are_paged(client, run_import, write_feed):
    run_import(write_feed([line(2 * n, sender=f"s{n:02}") for n in range(1, 31)]))
    first, second = soup(client.get(PAGE)), soup(client.get(f"{PAGE}?holes=2&handles=2"))
    assert [len(rows(page, part)) for page in (first, second) for part in ("holes", "handles")] == [20, 20, 9, 11]
    assert second.select_one("#holes .pages a")["href"] == "?holes=1#holes"


def test_markup_from_a_feed_is_text_on_the_page(client, run_import, write_feed):
    run_import(write_feed([line(1, sender="<script>x</script>"), line(2, msgtype="<b>kind</b>")]))
    page = client.get(PAGE).content.decode()
    assert "<script>x" not in page
    assert "<b>kind" not in page


def test_an_auditor_sees_all_of_it_and_changes_nothing(sample, auditor):
    page = soup(auditor.get(PAGE))
    assert [form["action"] for form in page.select("main form")] == []
    assert "Settings" not in page.select_one("main").get_text()
    for url in (NEW, SETTINGS, reverse("archive:token_make", args=["wecom"])):
        assert auditor.post(url, {"label": "x"}).status_code == 403


def test_a_feed_that_is_not_there_is_a_404(client):
    assert client.get(reverse("archive:source", args=["nothing"])).status_code == 404
    assert client.get(reverse("archive:source_settings", args=["nothing"])).status_code == 404


def test_the_page_is_there_in_chinese(sample, officer, client):
    officer.language = "zh-hans"
    officer.save()
    text = words(client.get(PAGE))
    for said in ("断号", "未匹配账号", "存档", "静默"):
        assert said in text


@pytest.mark.parametrize(
    ("lasts", "said"),
    [
        (timedelta(minutes=35, seconds=59), "35 min"),
        (timedelta(hours=4), "4 h"),
        (timedelta(hours=4, minutes=10), "4 h 10 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=3, hours=4, minutes=50), "3 days 4 h"),
        (timedelta(0), "0 min"),
    ],
)
def test_a_span_is_told_in_words(lasts, said):
    assert span(lasts) == said


# --- settings


GIVEN = {
    "kind": "wecom",
    "channel": "wecom",
    "time_zone": "Asia/Hong_Kong",
    "minutes": "90",
    "is_contiguous": "on",
    "granularity": "message",
    "mapping": "",
}


def test_a_new_source_is_set_up_with_its_entry(client, officer):
    given = {**GIVEN, "name": "journal", "kind": "mail", "mapping": '{"sender": "X-Sender"}', "channel": "mail"}
    assert client.post(NEW, given).url == reverse("archive:source", args=["journal"])
    made = Source.objects.get()
    assert (made.kind, made.channel, made.time_zone, made.expected_latency_seconds, made.mapping) == (
        "mail",
        "mail",
        "Asia/Hong_Kong",
        5400,
        {"sender": "X-Sender"},
    )
    entry = Entry.objects.get(verb="archive.source_added")
    assert (entry.actor, ledger.body_of(entry)["expected_latency_seconds"]) == (officer.uid, 5400)
    assert client.get(reverse("archive:source", args=["journal"])).status_code == 200


def test_a_name_is_used_once(client, source):
    page = soup(client.post(NEW, {**GIVEN, "name": "wecom"}))
    assert "There is a source of this name already." in page.get_text()
    assert Source.objects.count() == 1


def test_settings_are_changed_with_before_and_after(client, source, officer):
    given = {**GIVEN, "is_contiguous": "", "retired_on": "2027-01-31"}
    assert client.post(SETTINGS, given).status_code == 302
    source.refresh_from_db()
    assert (source.time_zone, source.is_contiguous, source.retired_on) == ("Asia/Hong_Kong", False, date(2027, 1, 31))
    told = ledger.body_of(Entry.objects.get(verb="archive.source_changed"))
    assert told == {
        "source": "wecom",
        "before": {
            "time_zone": "Asia/Shanghai",
            "expected_latency_seconds": 3600,
            "is_contiguous": True,
            "retired_on": None,
        },
        "after": {
            "time_zone": "Asia/Hong_Kong",
            "expected_latency_seconds": 5400,
            "is_contiguous": False,
            "retired_on": "2027-01-31",
        },
    }
    client.post(SETTINGS, given)
    assert Entry.objects.filter(verb="archive.source_changed").count() == 1


def test_seconds_that_the_form_does_not_show_stay(client, source):
    Source.objects.update(expected_latency_seconds=5430)
    client.post(SETTINGS, GIVEN)
    source.refresh_from_db()
    assert source.expected_latency_seconds == 5430


def test_the_kind_is_settled_once_something_came(client, run_import, write_feed, source):
    client.post(SETTINGS, {**GIVEN, "kind": "csv", "channel": "mail"})
    source.refresh_from_db()
    assert (source.kind, source.channel) == ("csv", "mail")
    client.post(SETTINGS, GIVEN)
    run_import(write_feed([line(1)]))
    client.post(SETTINGS, {**GIVEN, "kind": "csv", "channel": "mail"})
    source.refresh_from_db()
    assert (source.kind, source.channel) == ("wecom", "wecom")
    page = soup(client.get(SETTINGS))
    assert page.select_one("#id_kind").has_attr("disabled")
    with pytest.raises(services.NotEmpty):
        services.change_source(source=source, by=Import.objects.get().started_by, kind="csv")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"time_zone": "Shanghai"}, "This is not a time zone."),
        ({"mapping": "{"}, "This is not JSON"),
        ({"mapping": '{"a": "1", "a": "2"}'}, "a key stands in it twice"),
        ({"mapping": "[1]"}, "A mapping is a JSON object"),
        ({"mapping": '{"sender": "From"}'}, "is no field of this kind of feed"),
        ({"kind": "mail", "mapping": '{"sender": 1}'}, "must be the name of a header"),
        ({"kind": "csv", "mapping": '{"separator": "|"}'}, "must be one of"),
        ({"channel": "WeCom"}, "A channel's name has small letters"),
        ({"minutes": "-1"}, "greater than or equal to 0"),
        ({"channel": "two words"}, "valid “slug”"),
        ({"kind": "fax"}, "Select a valid choice"),
        ({"retired_on": "soon"}, "Enter a valid date"),
    ],
)
def test_a_setting_that_cannot_be_is_explained(client, source, wrong, said):
    assert said in words(client.post(SETTINGS, {**GIVEN, **wrong}))
    assert not Entry.objects.filter(verb="archive.source_changed").exists()


# --- tokens


def test_a_token_is_shown_once(client, source, officer):
    url = reverse("archive:token_make", args=["wecom"])
    page = soup(client.post(url, {"label": "puller 1", "expires_on": ""}))
    secret = page.select_one("code.secret").get_text()
    kept = SourceToken.objects.get()
    assert (services.token_for(text=secret, source="wecom", now=timezone.now()), kept.made_by) == (kept, officer)
    assert secret in page.select_one("pre.text").get_text()
    again = client.get(PAGE).content.decode()
    assert secret not in again
    assert (f"{secret[:8]}…" in again, "puller 1" in again) == (True, True)


def test_a_page_with_a_token_is_kept_by_no_cache(client, source):
    response = client.post(reverse("archive:token_make", args=["wecom"]), {"label": "puller"})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("given", "said"),
    [({"label": ""}, "required"), ({"label": "x", "expires_on": "2020-01-01"}, "That day is over.")],
)
def test_a_token_that_cannot_be_made_is_explained(client, source, given, said):
    page = soup(client.post(reverse("archive:token_make", args=["wecom"]), given))
    assert said in page.select_one("#tokens").get_text()
    assert not page.select("code.secret")
    assert not SourceToken.objects.exists()


def test_a_token_is_ended_from_the_page(client, source, officer):
    made, _secret = services.make_token(source=source, label="puller", expires_on=None, by=officer)
    [form] = soup(client.get(PAGE)).select(f"form[action$='/tokens/{made.pk}/']")
    assert client.post(form["action"]).url == f"{PAGE}#tokens"
    made.refresh_from_db()
    assert made.ended_at is not None
    assert rows(soup(client.get(PAGE)), "tokens")[0][-1] == "Ended"
    other = services.get_source("other")
    assert client.post(reverse("archive:token_end", args=[other.name, made.pk])).status_code == 404


# --- holes and kinds


def test_a_hole_is_settled_from_the_page(client, run_import, write_feed):
    run_import(write_feed([line(1), line(5)]))
    [form] = soup(client.get(PAGE)).select("#holes form")
    assert [button["value"] for button in form.select("button")] == ["asked", "confirmed", "explained"]
    client.post(form["action"], {"decision": "asked", "reason": ""})
    assert "asked for again" in rows(soup(client.get(PAGE)), "holes")[0]
    page = client.post(form["action"], {"decision": "confirmed", "reason": " "}, follow=True)
    assert "Say how you know" in page.content.decode()
    client.post(form["action"], {"decision": "confirmed", "reason": "Tencent no longer has it"})
    page = soup(client.get(PAGE))
    assert "confirmed lost" in rows(page, "holes")[0]
    assert not page.select("#holes form")
    for decision, said in (("explained", "Somebody has settled"), ("filled", "Choose what")):
        again = client.post(form["action"], {"decision": decision, "reason": "x"}, follow=True)
        assert said in again.content.decode()
    gone = client.post(reverse("archive:hole", args=["wecom", 77]), {"decision": "asked"}, follow=True)
    assert "not there any more" in gone.content.decode()


def test_a_feed_that_seems_to_skip_is_told_to_say_so(client, run_import, write_feed, monkeypatch):
    run_import(write_feed([line(1), line(5)]))
    assert "seems to skip" not in words(client.get(PAGE))
    monkeypatch.setattr("archive.services.health.seems_to_skip", lambda source, now: True)
    assert "seems to skip numbers normally" in words(client.get(PAGE))
    Source.objects.update(is_contiguous=False)
    assert "The numbers of this feed skip normally." in words(client.get(PAGE))


def test_a_kind_is_declared_from_the_page(client, officer, run_import, write_feed):
    run_import(write_feed([line(1, msgtype="ai_card")]))
    [form] = soup(client.get(PAGE)).select("#kinds form")
    client.post(form["action"], {"kind": "ai_card", "reason": ""})
    assert "Not declared" in rows(soup(client.get(PAGE)), "kinds")[0][3]
    client.post(form["action"], {"kind": "ai_card", "reason": "a summary by the app"})
    assert rows(soup(client.get(PAGE)), "kinds")[0][3] == "Declared a summary by the app"
    finding = Finding.objects.get(kind="unknown_kind")
    assert (finding.state, finding.decided_by) == ("closed", officer)
    again = client.post(form["action"], {"kind": "ai_card", "reason": "x"}, follow=True)
    assert "Somebody has declared this kind" in again.content.decode()
    assert client.post(form["action"], {"kind": "other", "reason": "x"}).status_code == 404


# --- the list


def test_a_feed_in_short_leads_to_its_page(sample, client):
    [card] = soup(client.get(LIST)).select("a.source-card")
    assert card["href"] == PAGE
    assert "1 handle matches nobody" in card.get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("hours", "said"),
    [(1, "Delivers, with open findings"), (30, "Silent"), (80, "Silent for days"), (130, "Records are being lost")],
)
def test_a_silence_shows_on_the_list(sample, client, hours, said):
    with time_machine.travel(FRIDAY_EVENING + timedelta(hours=hours)):
        services.refresh_findings()
        [tag] = soup(client.get(LIST)).select("a.source-card .tag")
    assert tag.get_text(strip=True) == said


def test_pushes_are_folded_by_day_and_do_not_drown_the_files(client, push, run_import, write_feed):  # noqa: F811
    run_import(write_feed([line(1)]))
    for n in range(2, 6):
        push([line(n), b"broken"])
    page = soup(client.get(LIST))
    assert [row[0] for row in rows(page, "import-rows")] == ["feed.jsonl wecom"]
    [day] = page.select("[aria-label='Pushed by machines, day by day'] tbody tr")
    assert [cell.get_text(strip=True) for cell in day.select("td.figure")] == ["4", "8", "4", "0", "0", "4"]
    link = day.select_one("a")["href"]
    of_day = rows(soup(client.get(link)), "import-rows")
    assert len(of_day) == 4
    assert all("pushed by a machine" in row[0] for row in of_day)
    days = soup(client.get(f"{LIST}?way=push"))
    assert len(days.select("#import-rows tbody tr")) == 1


def test_the_list_costs_the_same_for_one_push_and_for_many(client, push, count_queries):  # noqa: F811
    push([line(1)])
    client.get(LIST)
    one = count_queries(lambda: client.get(LIST))
    for n in range(2, 12):
        push([line(n)])
    assert count_queries(lambda: client.get(LIST)) == one
    Intake.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert count_queries(lambda: client.get(f"{LIST}?way=push")) <= one


def test_filters_stand_in_the_address(client, run_import, write_feed):
    run_import(write_feed([line(1)], "one.jsonl"))
    run_import(write_feed([line(2)], "two.jsonl"), source="other")
    Import.objects.filter(label="two.jsonl").update(started_at=FRIDAY_EVENING)

    def listed(query: str) -> list[str]:
        return [row[0] for row in rows(soup(client.get(f"{LIST}?{query}")), "import-rows")]

    assert listed("source=other") == ["two.jsonl other"]
    assert listed("on=2026-10-16") == ["two.jsonl other"]
    assert listed("state=done&source=wecom") == ["one.jsonl wecom"]
    assert listed("state=failed") == listed("way=repair") == []
    for senseless in ("on=yesterday", "way=fax", "state=x", "page=x", "on=9999-12-31", "on=0001-01-01"):
        assert listed(senseless) == ["two.jsonl other", "one.jsonl wecom"] or len(listed(senseless)) == 2


def test_the_rows_are_the_part_of_the_page_they_replace(client, run_import, write_feed):
    run_import(write_feed([line(1)]))
    [in_page] = soup(client.get(f"{LIST}?source=wecom")).select("#import-rows")
    [alone] = soup(client.get(f"{LIST}?source=wecom", headers={"HX-Request": "true"})).select("div#import-rows")
    assert alone == in_page


def test_an_upload_for_a_source_ends_as_its_kind_does(client, source):
    from django.core.files.uploadedfile import SimpleUploadedFile

    for name, said in (("mail.eml", "ends in .jsonl, .ndjson, .gz"), ("", "")):
        upload = SimpleUploadedFile(name or "x.GZ", as_bytes(line(1)))
        response = client.post(LIST, {"source": "wecom", "file": upload})
        if said:
            assert said in response.content.decode()
        else:
            assert response.status_code == 302
    with translation.override("zh-hans"):
        assert Import.objects.count() == 1


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (4000, "1 h 6 min"), (200_000, "2 days 7 h")]
)
def test_the_time_that_is_left_is_told_in_words(seconds, told):
    assert span_of(seconds) == told


def test_a_row_of_a_table_is_repaired_with_its_heading_and_never_read_again_alone(client, deliver, officer):
    deliver(b"message_id,sent_at,sender,recipients,text\n1,soon,li.na,zhangwei,hello", name="t.csv", kind="csv")
    run = Import.objects.get(source__kind="csv")
    page = words(client.get(reverse("archive:import", args=[run.uid])))
    assert ("Look and repair" in page, "Read again as it is" in page) == (True, False)
    page = words(client.post(reverse("archive:aside_look", args=[run.uid, 2]), {"reason": "to mend it"}))
    assert "the heading must stand here too" in page
