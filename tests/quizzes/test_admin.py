import pytest
from django.contrib import admin
from django.urls import reverse

from quizzes.models import Attempt, Bank, Question, Quiz


@pytest.mark.parametrize("model", [Attempt, Bank, Question, Quiz])
def test_evidence_can_be_read_in_the_admin_and_never_changed(model, rf):
    page = admin.site.get_model_admin(model)
    request = rf.get("/")
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


def test_the_admin_shows_an_attempts_outcome_and_neither_answers_nor_seed(make_quiz, begin, make_employee, sign_in):
    attempt = begin(make_quiz())
    client = sign_in(make_employee(is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:quizzes_attempt_change", args=[attempt.pk])).text
    assert attempt.uid in page
    assert attempt.seed not in page
    assert not [token for response in attempt.responses.all() for token in response.tokens if token in page]
