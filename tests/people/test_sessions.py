"""Where one is signed in, for how long, and how it ends."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from portal.people import sessions
from portal.people.models import Employee

PASSWORD = "eleven blue kites over Ningbo"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Mobile/15E148 wxwork/4.1 MicroMessenger/7.0"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
PAGE = reverse("people:session_list")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def person(make_employee) -> Employee:
    person = make_employee(email="lin@example.com")
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(agent: str = WINDOWS, password: str = PASSWORD) -> Client:
    client = Client(headers={"user-agent": agent})
    answer = client.post(reverse("account_login"), {"login": "lin@example.com", "password": password})
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def test_a_session_ends_after_thirty_minutes_without_a_request_and_says_so(person, settings, clock):
    settings.SESSION_IDLE_MINUTES = 30
    client = sign_in()
    for _ in range(4):
        clock.shift(timedelta(minutes=29))
        assert is_in(client)
    clock.shift(timedelta(minutes=30, seconds=1))
    answer = client.get(PAGE, follow=True)
    assert answer.redirect_chain == [(f"{reverse('account_login')}?next={PAGE}", 302)]
    assert "You were signed out because this session had ended" in answer.text


def test_a_session_ends_after_twelve_hours_however_busy_it_is(person, settings, clock):
    settings.SESSION_IDLE_MINUTES = 30
    client = sign_in()
    for _ in range(12 * 3):
        assert is_in(client)
        clock.shift(timedelta(minutes=20))
    assert is_in(client)  # twelve hours to the second
    clock.shift(1)
    assert not is_in(client)


def test_a_session_of_which_no_time_is_known_has_ended(person):
    client = sign_in()
    session = client.session
    del session[sessions.BEGAN]
    session.save()
    assert not is_in(client)


def test_a_request_writes_at_most_every_five_minutes(person, count_queries, clock):
    client = sign_in()
    seldom = count_queries(lambda: client.get(PAGE))
    clock.shift(timedelta(minutes=4, seconds=59))
    assert count_queries(lambda: client.get(PAGE)) == seldom
    clock.shift(1)
    assert count_queries(lambda: client.get(PAGE)) > seldom
    assert count_queries(lambda: client.get(PAGE)) == seldom


def test_sessions_are_listed_in_words_and_each_can_be_ended_by_its_owner_alone(
    person, make_employee, clock, count_queries
):
    desk = sign_in()
    alone = count_queries(lambda: desk.get(PAGE))
    phone = sign_in(IPHONE)
    assert count_queries(lambda: desk.get(PAGE)) == alone
    page = desk.get(PAGE).text
    assert "Edge on Windows" in page
    assert "WeCom on iPhone" in page
    [other] = [one for one in sessions.of(person, desk.session.session_key) if not one.is_here]

    stranger = make_employee()
    theirs = Client()
    theirs.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    theirs.post(reverse("people:end_sessions"), {"session": other.pk})
    assert is_in(phone)
    for wrong in ("0", "x", "9" * 30):
        desk.post(reverse("people:end_sessions"), {"session": wrong})
        assert is_in(phone)
    desk.post(reverse("people:end_sessions"), {"session": other.pk})
    assert not is_in(phone)
    assert is_in(desk)


def test_all_others_are_ended_at_once_and_this_one_stays(person):
    here, others = sign_in(), [sign_in(), sign_in(IPHONE)]
    answer = here.post(reverse("people:end_sessions"), follow=True)
    assert "2 sessions were ended." in answer.text
    assert [is_in(client) for client in (here, *others)] == [True, False, False]


def test_a_new_password_ends_all_others(person):
    here, other = sign_in(), sign_in(IPHONE)
    new = "twelve red boats off Xiamen"
    here.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_in(here)
    assert not is_in(other)
    assert len(sessions.of(person, here.session.session_key)) == 1


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (IPHONE, "WeCom on iPhone"),
        (WINDOWS, "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 14; HUAWEI) Chrome/120 MicroMessenger/8.0", "WeChat on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17.0 Safari/605", "Safari on Mac"),
        ("curl/8", "unknown browser"),
        ("", "unknown browser"),
        ("<script>", "unknown browser"),
    ],
)
def test_a_device_is_told_in_words(agent, words):
    assert sessions.device(agent) == words
