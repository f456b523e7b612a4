import json
from collections.abc import Callable

import pytest
from django.test import Client

from portal.scim import tokens, views

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Directory:
    """A directory that speaks to the site: each call returns (status, what was said)."""

    def __init__(self, secret: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=True)
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict]:
        told = {} if body is None else {"data": body if isinstance(body, bytes) else json.dumps(body)}
        answer = self.client.generic(
            method, f"/scim/v2{path}", content_type="application/scim+json", headers=headers, **told
        )
        self.headers = dict(answer.headers)
        return answer.status_code, json.loads(answer.content) if answer.content else {}

    def get(self, path: str, **headers: str) -> dict:
        status, told = self.ask("GET", path, **headers)
        assert status == 200, told
        return told

    def add(self, user_name: str = "ann@example.com", **more: object) -> dict:
        status, told = self.ask("POST", "/Users", {"schemas": [USER], "userName": user_name, "active": True, **more})
        assert status == 201, told
        return told

    def add_group(self, name: str, *members: str) -> dict:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": uid} for uid in members]}
        status, told = self.ask("POST", "/Groups", body)
        assert status == 201, told
        return told

    def patch(self, path: str, *operations: dict, **headers: str) -> tuple[int, dict]:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": operations}, **headers)


@pytest.fixture
def secret(make_employee) -> str:
    return tokens.make(label="Entra", by=make_employee(roles=("HR",)))


@pytest.fixture
def directory(secret, monkeypatch) -> Directory:
    monkeypatch.setattr(views, "PACE", 5000)
    return Directory(secret)


@pytest.fixture
def number() -> Callable[[str], dict]:
    return lambda text, **more: {ENTERPRISE: {"employeeNumber": text, **more}}
