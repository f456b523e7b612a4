"""Somebody else's tester asks the server whether it keeps to RFC 7643 and 7644."""

from collections.abc import Iterator

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from portal.scim import views


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Let requests to the bare application leave the test's transaction open, as Django's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
def test_the_tester_of_scim_servers_reports_no_failure(secret, monkeypatch, settings, caplog, one_connection):
    caplog.set_level("ERROR", logger="django.request")  # and back afterwards: others read what it says
    monkeypatch.setattr(views, "PACE", 5000)
    settings.SITE_URL = "http://testserver"
    client = WSGISCIMClient(
        WSGIHandler(), base_url="http://testserver/scim/v2", headers={"Authorization": f"Bearer {secret}"}
    )
    results = check_server(client)
    told = [(one.status.name, one.title, one.resource_type, one.reason) for one in results]
    assert [line for line in told if line[0] != "SUCCESS"] == []
    assert sum(one.status == Status.SUCCESS for one in results) > 60
