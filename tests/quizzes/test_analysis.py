"""What answers show: the figures against textbook values and brute force, the advice, and what it costs."""

import json
import math
import random
from statistics import correlation, mean

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from quizzes import advice, analysis, banks, services, statistics
from quizzes.models import Attempt, ItemFigures, Question, QuizFigures, Response
from quizzes.statistics import Part, Sums
from tests.quizzes.conftest import all_right, question
from tests.quizzes.samples import ALL, RIGHT, WRONG, sent


def sums_of(pairs: list[tuple[float, float]]) -> Sums:
    sums = Sums()
    for x, r in pairs:
        sums.add([1, x, x * x, r, r * r, x * r])
    return sums


# --- figures -----------------------------------------------------------------------------------------------------


def test_facility_is_wilsons_interval_of_the_textbook():
    found = statistics.facility(sums_of([(1, 0)] * 8 + [(0, 0)] * 2))
    assert [round(value, 4) for value in found] == [0.8, 0.4902, 0.9433]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=16)), min_size=4, max_size=50))
def test_discrimination_is_the_correlation_of_the_question_with_the_rest(pairs):
    found = statistics.discrimination(sums_of(pairs))
    xs, rs = [x for x, _r in pairs], [r for _x, r in pairs]
    if len(set(xs)) == 1 or len(set(rs)) == 1 or found is None:
        return
    assert math.isclose(found.value, correlation(xs, rs), abs_tol=1e-4)
    assert -1 <= found.low <= found.value + 1e-5
    assert found.value - 1e-5 <= found.high <= 1


def test_reliability_is_one_where_everybody_is_all_or_nothing_and_none_by_chance():
    def of(people: list[list[float]]) -> float:
        return statistics.reliability(
            people=len(people),
            answers=sum(map(len, people)),
            between=sum(sum(one) ** 2 / len(one) for one in people),
            total=sum(map(sum, people)),
            mean_square_sum=sum(x * x for one in people for x in one),
        ).value

    assert of([[1.0] * 10, [0.0] * 10, [1.0] * 10, [0.0] * 10]) == pytest.approx(1)
    chance = random.Random(5)
    assert abs(of([[float(chance.random() < 0.6) for _ in range(10)] for _ in range(2000)])) < 0.12
    known = [[float(chance.random() < ability) for _ in range(10)] for ability in (0.3, 0.9) * 500]
    assert 0.75 < of(known) < 0.95


@given(st.dictionaries(st.integers(0, 300), st.integers(1, 20), min_size=1, max_size=20))
def test_the_median_of_a_histogram_is_the_median(histogram):
    values = sorted(second for second, n in histogram.items() for _ in range(n))
    middle = len(values) // 2
    wanted = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    assert statistics.median(histogram) == wanted


# --- advice ------------------------------------------------------------------------------------------------------


def codes(sums: Sums, parts: list[Part] = (), seconds: float = 20) -> list[str]:
    return [one.code for one in statistics.advice(sums, parts, median_seconds=seconds)]


def people(n: int, right: float, *, agree: bool = True) -> Sums:
    """n answers of which a share is right; those who are right do better elsewhere, or worse."""
    good = round(n * right)
    return sums_of([(1.0, 0.8 if agree else 0.3)] * good + [(0.0, 0.3 if agree else 0.8)] * (n - good))


@pytest.mark.parametrize(
    ("sums", "parts", "seconds", "wanted"),
    [
        (people(29, 0.5), [], 20, ["few"]),
        (people(200, 0.7), [Part("a", True, 140, 0.8), Part("b", False, 60, 0.3)], 20, ["well"]),
        (people(200, 0.7, agree=False), [], 20, ["key"]),
        (people(200, 0.2), [], 20, ["hard"]),
        (people(2000, 0.995), [], 20, ["easy"]),
        (people(200, 0.3), [Part("a", True, 60, 0.8), Part("b", False, 140, 0.3)], 20, ["beats"]),
        (people(200, 0.6), [Part("a", True, 120, 0.5), Part("b", False, 80, 0.7)], 20, ["preferred"]),
        (people(200, 0.7), [Part("a", True, 140, 0.8), Part("b", False, 60, 0.3), Part("c", False, 0, 0)], 20, ["draws-nobody"]),  # noqa: E501
        (people(200, 0.7), [], 2, ["fast"]),
        (people(200, 0.7), [], 600, ["slow"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_question_is_advised(sums, parts, seconds, wanted):
    found = codes(sums, parts, seconds)
    assert [code for code in found if code in wanted] == wanted
    assert set(found) <= {*wanted, "hard"}


def test_options_of_one_prompt_are_compared_with_each_other_alone():
    parts = [Part("p>a", True, 40, 0.8), Part("p>b", False, 10, 0.2), Part("q>a", False, 90, 0.4), Part("q>b", True, 99, 0.8)]  # fmt: skip  # noqa: E501
    assert codes(people(200, 0.7), parts) == ["well"]


def test_every_advice_has_its_words():
    for code in ("few", "well", "key", "tells-nothing", "hard", "easy", "beats", "preferred", "draws-nobody", "fast", "slow"):  # fmt: skip  # noqa: E501
        words = advice.told({"code": code, "about": ["b"]}, {"b": "Never"})
        assert words
        assert "%" not in words


# --- from the database -------------------------------------------------------------------------------------------


@pytest.fixture
def answered(make_quiz, make_employee):
    """Let people take a quiz of these questions; ``choose(person, slug)`` names the options of each."""

    def go(questions, people: int, choose) -> None:
        quiz = make_quiz(questions=questions)
        for number in range(people):
            person = make_employee()
            attempt = services.start_attempt(quiz=quiz, employee=person, language="en", by=person.uid)
            answers = {}
            for response in attempt.responses.select_related("question"):
                token_of = {name: token for token, name in response.tokens.items()}
                answers[response.position] = [token_of[name] for name in choose(number, response.question.slug)]
            services.submit(attempt=attempt, answers=answers, by=person.uid)

    return go


def test_what_is_computed_in_the_database_is_what_one_computes_by_hand(answered):
    chance = random.Random(3)
    table = {(n, f"q{k}"): chance.choice("abc" if k else "aab") for n in range(40) for k in range(5)}
    answered([question(f"q{k}") for k in range(5)], 40, lambda n, slug: [table[n, slug]])
    analysis.keep(*analysis.compute())
    for k in range(5):
        xs = [float(table[n, f"q{k}"] == "a") for n in range(40)]
        rests = [mean(float(table[n, f"q{j}"] == "a") for j in range(5) if j != k) for n in range(40)]
        row = ItemFigures.objects.get(words=Question.objects.get(slug=f"q{k}").words)
        assert row.n == 40
        assert row.figures["facility"][0] == pytest.approx(mean(xs), abs=1e-3)
        assert row.figures["discrimination"][0] == pytest.approx(correlation(xs, rests), abs=1e-3)
        b = next(part for part in row.figures["parts"] if part["key"] == "b")
        chosen = [rests[n] for n in range(40) if table[n, f"q{k}"] == "b"]
        assert (b["n"], b["rest"]) == (len(chosen), pytest.approx(mean(chosen), abs=1e-3))
    assert QuizFigures.objects.get().people == 40


def test_later_tries_open_ones_and_withdrawn_questions_do_not_count(answered, make_employee):
    answered([question(f"q{k}") for k in range(3)], 3, lambda n, slug: ["a"])
    first = Attempt.objects.first()
    Attempt.objects.filter(pk=first.pk).update(number=2)
    Response.objects.filter(question__slug="q0", attempt=Attempt.objects.last()).update(is_counted=False)
    analysis.keep(*analysis.compute())
    n = {row.words: row.n for row in ItemFigures.objects.all()}
    assert [n[Question.objects.get(slug=slug).words] for slug in ("q0", "q1")] == [1, 2]


def test_versions_that_differ_in_tags_alone_are_one_question(answered):
    answered([question("q", tag="one"), question("r")], 2, lambda n, slug: ["a"])
    answered([question("q", tag="two"), question("s")], 3, lambda n, slug: ["b"])
    analysis.keep(*analysis.compute())
    row = ItemFigures.objects.get(words=Question.objects.filter(slug="q").first().words)
    assert row.n == 5
    assert {part["key"]: part["n"] for part in row.figures["parts"]} == {"a": 2, "b": 3, "c": 0}


def test_every_kind_is_counted_and_told(make_quiz, make_employee):
    quiz = make_quiz(questions=ALL)
    for answers in (RIGHT, WRONG, RIGHT):
        person = make_employee()
        attempt = services.start_attempt(quiz=quiz, employee=person, language="en", by=person.uid)
        given = {r.position: sent(r, answers[r.question.kind]) for r in attempt.responses.select_related("question")}
        services.submit(attempt=attempt, answers=given, by=person.uid)
    analysis.keep(*analysis.compute())
    assert ItemFigures.objects.count() == len(ALL)
    for asked in Question.objects.all():
        told = banks.figures_of(asked, "en")
        assert told["n"] == 3
        listed = told["parts"] or told["typed"]
        assert sum(part["n"] for part in listed) >= 3
        assert all(part.get("text") or part.get("key") for part in listed)


def test_an_analysis_is_asked_for_once_and_done_by_a_worker(db, make_employee, answered, bells):
    from quizzes import tasks

    answered([question(f"q{k}") for k in range(2)], 2, lambda n, slug: ["a"])
    by = make_employee()
    job = analysis.ask(by=by)
    assert analysis.ask(by=by) == job
    tasks.analyse(job.pk)
    job.refresh_from_db()
    assert job.result == {"questions": 2, "quizzes": 1, "answers": 4}
    assert analysis.ask(by=by) != job


def test_figures_cost_the_same_queries_for_many_questions_as_for_few(answered, count_queries):
    answered([question(f"q{k}") for k in range(2)], 1, lambda n, slug: ["a"])
    few = count_queries(analysis.compute)
    answered([question(f"p{k}") for k in range(12)], 1, lambda n, slug: ["a"])
    assert count_queries(analysis.compute) == few


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def author(make_employee, sign_in):
    return sign_in(make_employee(roles=("Author",)))


def test_pages_tell_figures_and_advice_in_words(author, answered):
    answered([question(f"q{k}") for k in range(4)], 40, lambda n, slug: ["b"] if slug == "q0" else ["a", "b"][n % 2])
    analysis.keep(*analysis.compute())
    assert "B" in author.get(reverse("quizzes:bank_list")).text
    bank = Question.objects.first().bank
    listed = author.get(reverse("quizzes:bank", args=[bank.slug])).text
    assert "4 questions" in listed
    assert "to look at" in listed
    page = author.get(reverse("quizzes:question", args=[bank.slug, "q0"])).text
    assert "is chosen more often than a right answer" in page
    assert "100%" in page


def test_a_bank_is_searched_by_words_tag_kind_and_state(author):
    questions = [question("first", tag="us"), question("second", tag="cn", kind="truefalse"), question("third")]
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=questions, by="system:test")
    url = reverse("quizzes:bank", args=["b"])

    def found(**query) -> set[str]:
        page = author.get(url, query).text
        return {slug for slug in ("first", "second", "third") if f"/{slug}/" in page}

    assert found() == {"first", "second", "third"}
    assert found(text="SECOND") == {"second"}
    assert found(tag="us") == {"first"}
    assert found(kind="truefalse") == {"second"}
    assert found(state="proposed") == set()
    assert found(state="accepted", text="rd: stem") == {"third"}


def test_every_kind_is_drawn_with_what_is_right(author):
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=ALL, by="system:test")
    for sample in ALL:
        page = author.get(reverse("quizzes:question", args=["b", sample["slug"]])).text
        assert f"{sample['slug']}: SECRET explanation" in page


def test_a_list_of_questions_costs_the_same_for_many(author, count_queries):
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=[question("q")], by="system:test")
    url = reverse("quizzes:bank", args=["b"])
    one = count_queries(lambda: author.get(url))
    services.publish_bank(
        slug="b", title={"en": "Bank"}, questions=[question(f"q{n}") for n in range(12)], by="system:t"
    )
    assert count_queries(lambda: author.get(url)) == one


def test_figures_hold_nothing_of_a_single_person(answered):
    answered([question(f"q{k}") for k in range(2)], 3, lambda n, slug: ["a"])
    analysis.keep(*analysis.compute())
    attempt = Attempt.objects.first()
    stored = json.dumps([row.figures for row in ItemFigures.objects.all()])
    assert attempt.employee.uid not in stored
    assert all_right(attempt)
