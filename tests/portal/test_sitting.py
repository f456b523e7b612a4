"""The load that `bench` puts on quizzes understands the pages that it reads."""

from django.urls import reverse

from portal.demo import sitting
from portal.people.models import Employee
from quizzes.models import Attempt
from quizzes.services import progress
from training.models import Course


def test_a_bench_of_quizzes_reads_papers_and_answers_them(db, client, settings):
    settings.LANGUAGE_CODE = "en"
    address = sitting._prepare(2)
    person = Employee.objects.order_by("pk").first()
    client.cookies[settings.SESSION_COOKIE_NAME] = sitting._session(person)
    page = client.post(address, follow=True).text
    attempt = Attempt.objects.get(employee=person)
    answers = {}
    for name, token in sitting.FORM.findall(page):
        answers.setdefault(name, token)
    known = dict(sitting.CHECKS.findall(page))
    assert len(answers) == len(known) == sitting.QUESTIONS
    for name, token in answers.items():
        position = name.removeprefix("q")
        data = {name: token, f"r{position}": known[f"r{position}"]}
        url = reverse("training:answer", args=[attempt.uid, position])
        fragment = client.post(url, data, headers={"HX-Request": "true"}).text
        assert dict(sitting.CHECKS.findall(fragment)) == {f"r{position}": "1"}
    assert progress(attempt) == (sitting.QUESTIONS, sitting.QUESTIONS)
    assert Course.objects.count() == 1


def test_figures_are_made_of_what_was_measured():
    seen = sitting.Sitting(8, attempts=40, seconds=10.0, cpu_seconds=2.0, saves=[float(n) for n in range(1, 101)])
    assert seen.figures() == {
        "people_at_once": 8,
        "attempts": 40,
        "attempts_a_minute": 240.0,
        "cpu_ms_an_attempt": 50.0,
        "save_median_ms": 50.5,
        "save_p95_ms": 96.0,
    }
