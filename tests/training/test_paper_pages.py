"""The paper with a question of every kind, as pages: with and without scripts, in two languages, on two devices."""

import io
import json
from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from portal.jobs.models import Job
from portal.ledger.models import Entry
from quizzes import services as quizzes
from quizzes.models import Attempt, ExtraTime, Printout, Question, Showing
from tests.quizzes.samples import ALL, BY_KIND, RIGHT, WRONG, sent
from training import learning, printouts, tasks
from training.models import Module, ModuleResult

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def begun(make_assignment, make_edition, finish_lessons, sign_in):
    """Begin a quiz of these questions, by default one of each kind: (client, attempt)."""

    def go(questions=ALL, **terms):
        edition = make_edition(modules=1, languages=["en", "zh-hans"])
        rows = quizzes.publish_bank(slug="all-kinds", title={"en": "Bank"}, questions=questions, by="system:test")
        dull = {"draw": len(rows), "pass_percent": 80, "tries_before_wait": 3, "wait_minutes": 30}
        title = {"en": "All kinds", "zh-hans": "各种题型"}
        quiz = quizzes.publish_quiz(slug="all", title=title, questions=rows, by="system:test", **(dull | terms))
        Module.objects.update(quiz=quiz)
        assignment = finish_lessons(make_assignment(course=edition.course))
        client = sign_in(assignment.employee)
        client.post(reverse("training:quiz", args=[edition.course.slug, "module-1"]))
        return client, Attempt.objects.get()

    return go


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def paper_url(attempt: Attempt) -> str:
    return reverse("training:attempt", args=[attempt.uid])


def answer_url(attempt: Attempt, position: int) -> str:
    return reverse("training:answer", args=[attempt.uid, position])


def at(attempt: Attempt, kind: str) -> int:
    return attempt.responses.get(question__kind=kind).position


def fields(attempt: Attempt, kind: str, answers: dict = RIGHT) -> dict[str, list[str]]:
    """What a form sends for the question of this kind."""
    response = attempt.responses.get(question__kind=kind)
    named = sent(response, answers[kind])
    return {f"q{response.position}" + (f"-{name}" if name else ""): sorted(values) for name, values in named.items()}


def form_of(page: BeautifulSoup) -> dict[str, list[str]]:
    """What a browser would send of the paper in view."""
    data: dict[str, list[str]] = {}
    for tag in page.select("form.paper input, form.paper select"):
        if tag.name == "select":
            chosen = tag.select_one("option[selected]")
            data.setdefault(tag["name"], []).append(chosen["value"] if chosen else "")
        elif tag["type"] not in ("radio", "checkbox") or tag.has_attr("checked"):
            data.setdefault(tag["name"], []).append(tag.get("value", ""))
    return {name: sorted(values) for name, values in data.items()}


def whole(attempt: Attempt, answers: dict = RIGHT) -> dict[str, list[str]]:
    data: dict = {"key": [attempt.uid]}
    for kind in attempt.responses.values_list("question__kind", flat=True):
        data |= fields(attempt, kind, answers)
    return data


# --- without scripts ---------------------------------------------------------------------------------------------


def test_every_kind_can_be_answered_by_one_plain_form(begun):
    client, attempt = begun()
    page = client.post(paper_url(attempt), whole(attempt), follow=True)
    assert "9 of 9 right, 100%" in page.text
    assert ModuleResult.objects.get().percent == 100


def test_every_field_of_the_page_has_a_label(begun):
    client, attempt = begun()
    page = soup(client.get(paper_url(attempt)))
    for tag in page.select("form.paper :is(input:not([type=hidden]), select)"):
        labelled = tag.find_parent("label") or page.select_one(f"label[for='{tag.get('id')}']")
        assert labelled is not None, tag
        assert labelled.get_text(strip=True)
    assert len(page.select("form.paper > ol > li > fieldset > legend")) == 9


def test_the_form_sends_back_what_is_kept(begun):
    client, attempt = begun()
    saved = whole(attempt) | {"save": ["1"]}
    saved.pop(next(iter(fields(attempt, "scenario"))))
    assert client.post(paper_url(attempt), saved).headers["Location"] == paper_url(attempt)
    assert Attempt.objects.get().is_open
    page = soup(client.get(paper_url(attempt)))
    assert page.select_one("#answered").text == "8 of 9 answered"
    back = form_of(page)
    assert {name: values for name, values in back.items() if name in saved} == {
        name: values for name, values in saved.items() if name not in ("save",)
    }
    client.post(paper_url(attempt), back | fields(attempt, "scenario"))
    assert Attempt.objects.get().percent == 100


def test_the_language_is_switched_at_a_question_and_one_is_back_at_it_with_every_tick(begun):
    client, attempt = begun()
    place = at(attempt, "matching")
    english = soup(client.get(paper_url(attempt)))
    button = english.select_one(f"#q{place} button[name=language]")
    assert "Turn the whole site to" in button.get_text()  # the button says how far it reaches
    assert (button["value"], button["formaction"]) == ("zh-hans", f"{paper_url(attempt)}?at={place}")
    data = whole(attempt) | {"language": ["zh-hans"]}
    back = client.post(button["formaction"], data)
    assert back.headers["Location"] == f"{paper_url(attempt)}#q{place}"
    chinese = soup(client.get(paper_url(attempt)))
    assert (chinese.html["lang"], chinese.select_one("ol.questions")["lang"]) == ("zh-hans", "zh-hans")
    assert "中文" in chinese.select_one(f"#q{place} legend").text
    assert [tag["id"] for tag in chinese.select(".question")] == [tag["id"] for tag in english.select(".question")]
    names = [sorted({tag["name"] for tag in page.select("[name^=q]")}) for page in (english, chinese)]
    assert names[0] == names[1]
    assert chinese.select_one("#answered").text.startswith("已答8题")  # the scenario waits for its own button
    assert [s.language for s in Showing.objects.all()] == ["en", "zh-hans"]
    assert attempt.responses.get(position=place).language == "en"


def test_a_path_is_walked_without_scripts_and_shows_only_what_was_reached(begun):
    client, attempt = begun([BY_KIND["scenario"]])
    page = client.get(paper_url(attempt))
    assert "private chat" not in page.text
    go = {"key": attempt.uid, "go": "1", **fields(attempt, "scenario", WRONG)}
    assert client.post(f"{paper_url(attempt)}?at=1", go).headers["Location"] == f"{paper_url(attempt)}#q1"
    page = client.get(paper_url(attempt))
    assert "private chat" in page.text
    assert "Move it to WeCom" not in page.text
    assert "comes out" not in page.text


@pytest.mark.parametrize("button", ["save", "language"])
def test_a_choice_that_cannot_be_taken_back_is_made_by_its_own_button_alone(begun, button):
    client, attempt = begun([BY_KIND["scenario"]])
    client.post(paper_url(attempt), {"key": attempt.uid, button: "1", **fields(attempt, "scenario")})
    assert attempt.responses.get().answer is None


def test_a_place_that_is_no_number_leads_nowhere_else(begun):
    client, attempt = begun([BY_KIND["single"]])
    url = f"{paper_url(attempt)}?at=//example.com"
    assert client.post(url, {"key": attempt.uid, "save": "1"}).headers["Location"] == paper_url(attempt)


# --- with scripts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in BY_KIND if kind != "scenario"])
def test_an_answer_of_every_kind_is_kept_as_it_is_given(begun, kind):
    client, attempt = begun()
    place = at(attempt, kind)
    data = fields(attempt, kind) | {f"r{place}": "0"}
    fragment = soup(client.post(answer_url(attempt, place), data, headers=HTMX))
    assert fragment.select_one(f"#saved-{place}").text == "Saved"
    assert fragment.select_one(f"input[name=r{place}]")["value"] == "1"
    assert fragment.select_one("#answered").text == "1 of 9 answered"
    page = soup(client.get(paper_url(attempt)))
    assert form_of(page).items() >= fields(attempt, kind).items()
    listed = page.select_one(f"#q{place} > fieldset")["hx-params"].split(",")
    assert set(data) <= set(listed)


def test_half_an_answer_is_kept_and_not_counted_as_answered(begun):
    client, attempt = begun([BY_KIND["matching"]])
    half = dict(list(fields(attempt, "matching").items())[:1])
    fragment = soup(client.post(answer_url(attempt, 1), half, headers=HTMX))
    assert fragment.select_one("#answered").text == "0 of 1 answered"
    assert len(attempt.responses.get().answer) == 1


def test_what_cannot_be_read_as_a_number_is_said_at_once(begun):
    client, attempt = begun([BY_KIND["numeric"]])
    fragment = client.post(answer_url(attempt, 1), {"q1": "three"}, headers=HTMX)
    assert "cannot be read as a number" in fragment.text
    assert soup(client.get(paper_url(attempt))).select_one("input[name=q1]")["value"] == "three"


def test_one_step_of_a_path_brings_the_next_scene_and_what_comes_is_what_a_reload_shows(begun):
    client, attempt = begun([BY_KIND["scenario"]])
    data = fields(attempt, "scenario", WRONG) | {"r1": "0"}
    response = client.post(answer_url(attempt, 1), data, headers=HTMX)
    assert (response.headers["HX-Retarget"], response.headers["HX-Reswap"]) == ("#q1", "outerHTML")
    card = soup(response).select_one("#q1")
    assert "private chat" in card.text
    del card.select_one(".scene")["autofocus"]
    card.select_one("#saved-1").contents[0].extract()  # the word that it was saved
    page = soup(client.get(paper_url(attempt)))
    assert card.get_text(" ", strip=True) == page.select_one("#q1").get_text(" ", strip=True)


def test_an_answer_from_an_old_window_shows_what_is_kept(begun):
    client, attempt = begun([BY_KIND["single"]])
    client.post(answer_url(attempt, 1), fields(attempt, "single") | {"r1": "0"}, headers=HTMX)
    response = client.post(answer_url(attempt, 1), fields(attempt, "single", WRONG) | {"r1": "0"}, headers=HTMX)
    card = soup(response).select_one("#q1")
    assert "in another window" in card.text
    [ticked] = card.select("input[checked]")
    assert [ticked["value"]] == fields(attempt, "single")["q1"]
    assert card.select_one("input[name=r1]")["value"] == "1"


def test_an_old_form_is_not_handed_in_and_the_page_says_where_it_differs(begun):
    client, attempt = begun()
    old = form_of(soup(client.get(paper_url(attempt))))
    place = at(attempt, "single")
    client.post(answer_url(attempt, place), fields(attempt, "single") | {f"r{place}": "0"}, headers=HTMX)
    page = client.post(paper_url(attempt), old | fields(attempt, "single", WRONG))
    assert page.status_code == 409
    assert f"answered otherwise since this page was opened: {place}." in soup(page).select_one("[role=alert]").text
    assert Attempt.objects.get().is_open
    client.post(paper_url(attempt), form_of(soup(page)) | {"anyway": ["1"]})
    assert not Attempt.objects.get().is_open
    assert attempt.responses.get(position=place).is_right


def test_a_form_that_was_handed_in_can_be_sent_again_without_harm(begun):
    client, attempt = begun()
    data = whole(attempt, WRONG)
    client.post(paper_url(attempt), data)
    for again in (data, whole(attempt), whole(attempt) | {"save": ["1"]}):
        page = client.post(paper_url(attempt), again, follow=True)
        assert "0 of 9 right" in page.text
    assert Entry.objects.filter(verb="quizzes.attempt_submitted").count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {"q2": "x"},
        {"q99": "x"},
        {"q1-nothing": "x"},
        {"r1": "-1"},
        {"r1": "1e3"},
        {"q1": ["x"] * 30},
        {"q1": ["a", "b"]},
    ],
    ids=str,
)
def test_what_no_page_of_ours_sends_is_refused(begun, data):
    client, attempt = begun([BY_KIND["single"]])
    assert client.post(answer_url(attempt, 1), data, headers=HTMX).status_code == 400
    assert client.post(paper_url(attempt), data | {"key": attempt.uid}).status_code == 400
    assert Attempt.objects.get().is_open


def test_no_response_of_an_open_attempt_tells_what_is_right(begun):
    """Pages, fragments and headers, in both languages: nothing of keys, reasons, weights or ids."""
    client, attempt = begun()
    heard = [client.get(paper_url(attempt))]
    for kind in BY_KIND:
        place = at(attempt, kind)
        heard.append(client.post(answer_url(attempt, place), fields(attempt, kind, WRONG), headers=HTMX))
        heard.append(client.post(answer_url(attempt, place), {"q1-forged": "x"}, headers=HTMX))
    client.post(reverse("people:language"), {"language": "zh-hans"})
    heard.append(client.get(paper_url(attempt)))
    told = "\n".join(response.text + json.dumps(dict(response.headers)) for response in heard)
    ids = {name for response in attempt.responses.all() for name in response.tokens.values()}
    ids -= {"first", "second", "third", "fourth", "right", "no", "none", "order", "us", "cn", "yes", "months", "years"}
    ids -= {"hello", "thanks", "move", "reply", "report", "hide"}  # words that a page may say of itself
    secrets = ["SECRET", "tolerance", attempt.seed, *ids, "three", "3 ± 0.25", "企业微信", "enterprise"]
    assert [secret for secret in secrets if secret in told] == []


def test_right_and_wrong_answers_get_the_same_response(begun):
    client, attempt = begun()
    for kind in BY_KIND:
        if kind == "scenario":
            continue
        said = []
        for answers in (RIGHT, WRONG):
            attempt.responses.update(revision=0, answer=None, answered_at=None, is_complete=False)
            data = fields(attempt, kind, answers)
            said.append(client.post(answer_url(attempt, at(attempt, kind)), data, headers=HTMX).text)
        assert said[0] == said[1], kind


# --- time --------------------------------------------------------------------------------------------------------


def test_the_clock_tells_the_time_that_is_left_in_words(begun, clock):
    client, attempt = begun(time_limit_minutes=10)
    clock.shift(timedelta(minutes=3))
    page = soup(client.get(paper_url(attempt)))
    assert page.select_one(".clock")["data-seconds-left"] == "420"
    assert "about 7 minutes left" in page.select_one(".clock").text
    assert page.select_one("[data-clock-say]")["role"] == "status"


def test_without_a_limit_there_is_no_clock(begun):
    client, attempt = begun([BY_KIND["single"]])
    assert soup(client.get(paper_url(attempt))).select_one(".clock") is None


def test_extra_time_is_in_the_clock_and_said_beforehand(begun, make_employee, clock):
    client, attempt = begun(time_limit_minutes=10)
    client.post(paper_url(attempt), whole(attempt, WRONG))
    quizzes.grant_extra_time(
        employee=attempt.employee,
        percent=50,
        reason="As agreed",
        starts_on=timezone.localdate(),
        ends_on=None,
        by=make_employee(),
    )
    intro = reverse("training:quiz", args=[Module.objects.get().edition.course.slug, "module-1"])
    assert "You get 50% more." in client.get(intro).text
    page = client.post(intro, follow=True)
    assert soup(page).select_one(".clock")["data-seconds-left"] == "900"
    assert "your 50% more time is in it" in page.text


def test_a_paper_whose_time_is_up_is_handed_in_by_looking_at_it(begun, clock):
    client, attempt = begun(time_limit_minutes=10)
    client.post(answer_url(attempt, at(attempt, "single")), fields(attempt, "single"), headers=HTMX)
    clock.shift(timedelta(minutes=11))
    page = client.get(paper_url(attempt), follow=True)
    assert "The time ran out" in page.text
    assert "1 of 9 right" in page.text


def test_a_paper_to_which_nobody_comes_back_is_graded_by_the_clock(begun, clock):
    client, attempt = begun(time_limit_minutes=10)
    client.post(paper_url(attempt), whole(attempt) | {"save": ["1"]})
    client.post(answer_url(attempt, at(attempt, "scenario")), fields(attempt, "scenario"), headers=HTMX)
    clock.shift(timedelta(minutes=10, seconds=30))
    assert learning.close_late_quizzes() == 0
    clock.shift(timedelta(seconds=1))
    tasks.close_late_quizzes()
    attempt.refresh_from_db()
    assert (attempt.percent, attempt.timed_out) == (100, True)
    assert attempt.submitted_at == attempt.closes_at
    assert ModuleResult.objects.get().attempt == attempt


# --- the result, and the paper again ------------------------------------------------------------------------------


@pytest.fixture
def handed_in(begun):
    """A paper with one right answer, which passes here: its person may see the key."""
    client, attempt = begun(pass_percent=10)
    client.get(paper_url(attempt))
    client.post(paper_url(attempt), whole(attempt, WRONG) | fields(attempt, "matching"))
    attempt.refresh_from_db()
    return client, attempt


def test_a_result_explains_every_kind(handed_in):
    client, attempt = handed_in
    page = soup(client.get(reverse("training:result", args=[attempt.uid])))
    for kind in BY_KIND:
        card = page.select_one(f"#q{at(attempt, kind)}")
        assert "SECRET" in card.text, kind
        assert card.select_one(".asked .tag").text == ("Right" if kind == "matching" else "Wrong")


def test_of_a_failed_try_no_kind_tells_what_would_have_been_right(begun):
    client, attempt = begun()
    client.get(paper_url(attempt))
    page = soup(client.post(paper_url(attempt), whole(attempt, WRONG) | {"anyway": "1"}, follow=True))
    assert len(page.select(".question")) == 9
    assert "SECRET" not in page.text


def test_part_of_the_points_is_said_to_be_part(begun):
    client, attempt = begun([BY_KIND["text"] | {"points": 3, "must_pass": True}])
    page = soup(client.post(paper_url(attempt), {"key": attempt.uid, "q1": "WeChat"}, follow=True))
    assert "0 of 1 right, 50%." in page.select_one(".verdict").text
    assert "That is 1.5 of 3 points." in page.select_one(".verdict").text
    assert "A question that must be right was not." in page.select_one(".verdict").text
    assert page.select_one("#q1 .asked .tag").text == "Right in part"


def test_the_paper_is_drawn_again_for_its_person(handed_in):
    client, attempt = handed_in
    page = soup(client.get(reverse("training:as_shown", args=[attempt.uid])))
    assert len(page.select(".question")) == 9
    assert "Unchanged" in page.text
    orders = [option.text for option in page.select(".question")[at(attempt, "single") - 1].select("td:first-child")]
    response = attempt.responses.select_related("question").get(question__kind="single")
    words = {option["id"]: option["text"]["en"] for option in response.question.options}
    assert orders == [words[name] for name in response.order]


def test_an_open_attempt_is_not_drawn_again(begun):
    client, attempt = begun()
    assert client.get(reverse("training:as_shown", args=[attempt.uid])).status_code == 404
    assert client.post(reverse("training:as_shown_file", args=[attempt.uid])).status_code == 404


def test_a_reviewer_says_why_before_a_word_is_shown(handed_in, make_employee, sign_in):
    _client, attempt = handed_in
    url = reverse("training:as_shown", args=[attempt.uid])
    reviewer = make_employee(roles=("Compliance",))
    client = sign_in(reviewer)
    listed = client.get(reverse("training:attempt_list", args=[attempt.employee.uid]))
    assert url in listed.text
    for response in (client.get(url), client.post(url, {"reason": "  "})):
        assert "lark" not in response.text
        assert soup(response).select_one("input[name=reason]")
    page = client.post(url, {"reason": "A complaint"})
    assert "lark" in page.text
    assert Entry.objects.filter(verb="quizzes.attempt_looked_at", actor=reviewer.uid).count() == 1


def test_the_pdf_holds_every_language_that_was_shown_and_is_drawn_once(handed_in):
    client, attempt = handed_in
    quizzes.note_showing(attempt=attempt, language="zh-hans", device="desk")
    url = reverse("training:as_shown_file", args=[attempt.uid])
    assert client.post(url).headers["Location"] == reverse("training:as_shown", args=[attempt.uid])
    tasks.print_attempt(Job.objects.get(kind=printouts.RENDER).pk)
    response = client.post(url)
    content = b"".join(response)
    reader = PdfReader(io.BytesIO(content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    for words in ("lark", "中文 lark", "中文 A client writes on WeChat", "Buy the bond", attempt.paper_sha256[:12]):
        assert words in text.replace("\n", " ") or words.replace(" ", "") in text.replace("\n", "").replace(" ", "")
    assert "attachment" in response.headers["Content-Disposition"]
    before = Printout.objects.get()
    assert printouts.draw(attempt) == before
    assert Printout.objects.get().sha256 == before.sha256


def test_a_printout_that_somebody_changed_is_not_handed_out(handed_in, settings):
    client, attempt = handed_in
    url = reverse("training:as_shown_file", args=[attempt.uid])
    client.post(url)
    tasks.print_attempt(Job.objects.get(kind=printouts.RENDER).pk)
    file = settings.PRIVATE_DIR / Printout.objects.get().file.name
    file.write_bytes(file.read_bytes() + b" ")
    assert client.post(url).status_code == 404


# --- extra time --------------------------------------------------------------------------------------------------


def test_hr_grants_and_ends_extra_time(make_employee, sign_in):
    hr, person = make_employee(roles=("HR",)), make_employee()
    client, url = sign_in(hr), reverse("training:extra_time_list")
    data = {"employee": person.employee_no, "percent": "50", "reason": "As agreed", "starts_on": "2030-03-15"}
    assert client.post(url, data).status_code == 302
    given = ExtraTime.objects.get()
    assert (given.employee, given.percent, given.approved_by) == (person, 50, hr)
    assert person.name in client.get(url).text
    client.post(reverse("training:extra_time_end", args=[given.uid]))
    given.refresh_from_db()
    assert given.ends_on == timezone.localdate()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"employee": "nobody"}, "nobody with this number"),
        ({"ends_on": "2030-03-01"}, "before the first"),
        ({"starts_on": "2030-03-01"}, "cannot begin in the past"),
        ({"reason": ""}, "required"),
    ],
)
def test_a_grant_that_makes_no_sense_is_not_made(make_employee, sign_in, change, words):
    client = sign_in(make_employee(roles=("HR",)))
    data = {"employee": make_employee().email, "percent": "50", "reason": "As agreed", "starts_on": "2030-03-15"}
    assert words in client.post(reverse("training:extra_time_list"), data | change).text
    assert not ExtraTime.objects.exists()


def test_hr_cannot_grant_it_to_oneself(make_employee, sign_in):
    hr = make_employee(roles=("HR",))
    data = {"employee": hr.email, "percent": "50", "reason": "Me", "starts_on": "2030-03-15"}
    page = sign_in(hr).post(reverse("training:extra_time_list"), data)
    assert "Somebody else has to grant it" in page.text


# --- cost --------------------------------------------------------------------------------------------------------


def test_an_autosave_costs_the_same_in_a_long_paper_as_in_a_short_one(begun, count_queries):
    client, attempt = begun()
    place = at(attempt, "single")
    data = fields(attempt, "single")
    cost = count_queries(lambda: client.post(answer_url(attempt, place), data, headers=HTMX))
    assert cost <= 12


def test_a_quiz_whose_questions_were_all_withdrawn_says_so(begun, make_employee):
    client, attempt = begun([BY_KIND["single"]])
    client.post(paper_url(attempt), whole(attempt, WRONG))
    quizzes.withdraw_question(question=Question.objects.get(slug="single"), reason="Wrong.", by=make_employee())
    intro = reverse("training:quiz", args=[Module.objects.get().edition.course.slug, "module-1"])
    assert "all of them were withdrawn" in client.get(intro).text
    assert client.post(intro).headers["Location"] == intro
