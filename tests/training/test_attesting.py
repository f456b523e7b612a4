from datetime import date, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive.models import Finding
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import attesting, services
from training.attesting import NotFresh, NotToSign, Proof
from training.models import Attestation

TODAY = date(2030, 3, 15)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def publish(db):
    def make(slug: str = "messaging", words: str = "Keep what clients write.", **fields):
        texts = {
            "title": {"en": "Messaging policy", "zh-hans": "通讯政策"},
            "text": {"en": words, "zh-hans": "须存档。"},
        }
        return services.publish_policy(**{"slug": slug, "effective_from": TODAY, "by": "system:test"} | texts | fields)

    return make


def now_proved() -> Proof:
    return Proof(timezone.now(), "password")


def words(response) -> str:
    return " ".join(BeautifulSoup(response.text, "html.parser").find("main").get_text(" ").split())


def test_the_same_words_are_the_same_version_and_others_the_next(publish):
    first = publish()
    assert publish().pk == first.pk
    second = publish(words="Keep all of it.")
    assert (second.number, second.fingerprint != first.fingerprint) == (2, True)
    assert Entry.objects.filter(verb="training.policy_published").count() == 2


def test_a_version_is_signed_once_with_its_fingerprint_in_the_evidence(publish, make_employee):
    version, person = publish(), make_employee()
    assert services.to_sign(person, TODAY) == [version]
    done = services.sign(employee=person, version=version, proof=now_proved(), language="en")
    again = services.sign(employee=person, version=version, proof=now_proved(), language="en")
    assert again.pk == done.pk
    [entry] = Entry.objects.filter(verb="training.policy_signed")
    assert (entry.subject, entry.seq) == (person.uid, done.entry_seq)
    assert ledger.body_of(entry)["fingerprint"] == version.fingerprint
    assert services.to_sign(person, TODAY) == []


def test_a_new_version_is_signed_anew_from_its_day_on(publish, make_employee, clock):
    old, person = publish(), make_employee()
    services.sign(employee=person, version=old, proof=now_proved(), language="en")
    new = publish(words="More.", effective_from=TODAY + 10 * DAY)
    assert services.to_sign(person, TODAY + 9 * DAY) == []
    assert services.to_sign(person, TODAY + 10 * DAY) == [new]
    with pytest.raises(NotToSign):
        services.sign(employee=person, version=new, proof=now_proved(), language="en")
    clock.move_to("2030-03-25T04:00:00Z")
    late = make_employee()
    with pytest.raises(NotToSign):
        services.sign(employee=late, version=old, proof=now_proved(), language="en")


def test_nothing_is_signed_without_a_proof_of_the_last_five_minutes(publish, make_employee):
    version, person = publish(), make_employee()
    old = Proof(timezone.now() - timedelta(minutes=5, seconds=1), "password")
    ahead = Proof(timezone.now() + timedelta(seconds=1), "password")
    for proof in (None, old, ahead):
        with pytest.raises(NotFresh):
            services.sign(employee=person, version=version, proof=proof, language="en")
    assert Attestation.objects.count() == 0


def test_an_outsider_signs_nothing(publish, make_employee):
    version, auditor = publish(), make_employee(employee_no=None)
    assert services.to_sign(auditor, TODAY) == []
    with pytest.raises(NotToSign):
        services.sign(employee=auditor, version=version, proof=now_proved(), language="en")


@pytest.mark.parametrize(
    ("record", "has_password", "counts"),
    [
        ({"method": "password", "at": -60, "reauthenticated": True}, True, True),
        ({"method": "password", "at": -60}, True, False),  # signed in a minute ago, not asked again
        ({"method": "password", "at": -301, "reauthenticated": True}, True, False),
        ({"method": "socialaccount", "at": -60}, False, True),
        ({"method": "socialaccount", "at": -301}, False, False),
    ],
)
def test_what_counts_as_a_proof(record, has_password, counts):
    now = timezone.now()
    session = {"account_authentication_methods": [record | {"at": now.timestamp() + record["at"]}]}
    found = attesting.proof_in(session, has_password=has_password, now=now)
    assert (found is not None) is counts


def test_the_page_asks_first_who_is_there_and_then_takes_the_signature(publish, make_employee):
    version, person = publish(), make_employee()
    person.set_password("a long enough secret")
    person.save()
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("training:policy", args=[version.policy.slug])
    answer = client.post(url)
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert Attestation.objects.count() == 0
    back = client.post(answer.headers["Location"], {"password": "a long enough secret"})
    assert back.headers["Location"] == url
    client.post(url)
    done = Attestation.objects.get()
    assert (done.employee, done.proved_how, done.language) == (person, "password", "en")
    assert "You signed it on" in words(client.get(url))


def test_who_has_not_signed_is_seen_by_hr_and_by_managers_for_their_line(publish, make_employee, sign_in):
    version, boss = publish(), make_employee(name_en="Boss")
    make_employee(name_en="Signed", manager=boss)
    make_employee(name_en="Missing", manager=boss)
    make_employee(name_en="Elsewhere")
    hr = make_employee(name_en="Hanna", roles=("HR",))
    signed = type(boss).objects.get(name_en="Signed")
    services.sign(employee=signed, version=version, proof=now_proved(), language="en")
    url = reverse("training:policy_signatures", args=["messaging"])
    for viewer, expected in ((boss, {"Boss", "Missing"}), (hr, {"Boss", "Missing", "Elsewhere", "Hanna"})):
        soup = BeautifulSoup(sign_in(viewer).get(url).text, "html.parser")
        assert {link.text for link in soup.select("main section a")} == expected
    assert "1 of 5 have signed" in words(sign_in(hr).get(reverse("training:policy_list")))
    assert sign_in(signed).get(url).status_code == 403


def test_compliance_publishes_a_version_on_a_page(make_employee, sign_in):
    client = sign_in(make_employee(roles=("Compliance",)))
    form = {
        "slug": "gifts", "title_en": "Gifts", "title_zh": "礼品", "text_en": "None.", "text_zh": "不得收受。",
        "effective_from": "2030-03-15",
    }  # fmt: skip
    assert client.post(reverse("training:policy_new"), form | {"effective_from": "2030-03-14"}).status_code == 200
    assert client.post(reverse("training:policy_new"), form).status_code == 302
    assert [one.shown_title for one in services.newest_versions(TODAY)] == ["Gifts"]


def test_the_first_page_asks_for_what_is_to_be_signed(publish, make_employee, sign_in):
    publish()
    assert "Messaging policy" in words(sign_in(make_employee()).get("/"))


# --- the quarterly statement


@pytest.fixture
def asked(publish, make_employee):
    publish("quarterly", "I kept all business talk on the firm's channel.", is_quarterly=True)
    return make_employee(joined_on=date(2029, 1, 1))


def proved(person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    record = {"method": "password", "at": timezone.now().timestamp(), "reauthenticated": True}
    session["account_authentication_methods"] = [record]
    session.save()
    return client


def told_of(person) -> Finding:
    return Finding.objects.create(
        kind="self_report", key=f"told:{person.pk}", severity=1, employee=person, about_on=date(2029, 11, 6),
        opened_at=timezone.now(), due_on=TODAY, facts={}, policy_version="1",
    )  # fmt: skip


def test_a_statement_shows_the_persons_own_reports_and_keeps_what_was_shown(asked):
    report, client, url = told_of(asked), proved(asked), reverse("standing:statement")
    page = client.get(url)
    assert "2029-Q4" in words(page)
    assert "6 November 2029" in words(page)
    mark = BeautifulSoup(page.text, "html.parser").find("input", {"name": "mark"})["value"]
    client.post(url, {"mark": mark})
    done = Attestation.objects.get()
    assert (done.period, done.shown["reports"]) == (
        "2029-Q4", [{"finding": report.uid, "about_on": "2029-11-06"}],
    )  # fmt: skip
    assert ledger.body_of(Entry.objects.get(verb="training.policy_signed"))["shown"] == done.shown
    Finding.objects.all().delete()
    assert "6 November 2029" in words(client.get(url))  # as it was signed


def test_a_statement_is_not_signed_beside_something_else_than_was_shown(asked):
    client, url = proved(asked), reverse("standing:statement")
    mark = BeautifulSoup(client.get(url).text, "html.parser").find("input", {"name": "mark"})["value"]
    told_of(asked)
    client.post(url, {"mark": mark})
    assert Attestation.objects.count() == 0


def test_a_statement_is_asked_for_once_a_quarter_and_not_of_who_came_later(asked, make_employee, clock):
    from portal.standing import statements

    newcomer = make_employee(joined_on=date(2030, 1, 2))
    assert [statements.is_asked(one, TODAY) for one in (asked, newcomer)] == [True, False]
    client, url = proved(asked), reverse("standing:statement")
    mark = BeautifulSoup(client.get(url).text, "html.parser").find("input", {"name": "mark"})["value"]
    client.post(url, {"mark": mark})
    assert not statements.is_asked(asked, TODAY)
    assert statements.is_asked(asked, date(2030, 4, 1))
    assert "Your quarterly statement" not in words(client.get("/"))


@pytest.mark.parametrize(
    ("day", "quarter"), [("2030-01-01", "2029-Q4"), ("2030-03-31", "2029-Q4"), ("2030-04-01", "2030-Q1")]
)
def test_the_quarter_that_is_asked_for_is_the_last_that_is_over(day, quarter):
    from portal.standing import statements

    assert statements.asked_on(date.fromisoformat(day)) == quarter


def test_the_database_refuses_a_second_signature(publish, make_employee):
    version, person = publish(), make_employee()
    services.sign(employee=person, version=version, proof=now_proved(), language="en")
    fields = {"employee": person, "version": version, "signed_at": timezone.now(), "proved_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Attestation.objects.create(**fields, proved_how="password", language="en", entry_seq=1)


def test_an_outsiders_page_refuses_the_signature(publish, make_employee):
    version = publish()
    client = proved(make_employee(employee_no=None))
    assert client.post(reverse("training:policy", args=[version.policy.slug])).status_code == 403
