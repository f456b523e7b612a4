import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db
IMPORTS = "/imports/"


def sent(client: Client, path: str) -> int:
    """Send a file of 3 MiB and return the status."""
    return client.post(path, {"file": SimpleUploadedFile("feed.jsonl", b"x" * 3 * 2**20)}).status_code


def test_a_visitor_cannot_send_a_large_body_anywhere():
    assert sent(Client(), reverse("account_login")) == 413
    assert sent(Client(), IMPORTS) == 413


@pytest.mark.parametrize(("role", "status"), [("Compliance", 200), ("Auditor", 413), ("HR", 413)])
def test_only_who_may_import_may_send_a_feed(make_employee, sign_in, role, status):
    assert sent(sign_in(make_employee(roles=(role,))), IMPORTS) == status


def test_even_a_feed_has_a_limit(make_employee, sign_in, settings):
    settings.UPLOAD_MAX_BYTES = 2**20
    assert sent(sign_in(make_employee(roles=("Compliance",))), IMPORTS) == 413


def test_a_body_of_unknown_length_is_refused():
    assert Client().post("/accounts/login/", headers={"Transfer-Encoding": "chunked"}).status_code == 413
