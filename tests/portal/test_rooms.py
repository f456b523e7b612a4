"""The rooms keep their order: what imports cannot show (foreign keys by name) is read from the loaded models."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]

# Which rooms' tables a room's own tables may point at.
MAY_POINT_AT = {
    "ledger": "",
    "people": "ledger",
    "jobs": "ledger people",
    "hr": "ledger people jobs",
    "scim": "ledger people jobs hr",
    "signon": "ledger people",
    "quizzes": "ledger people jobs",
    "training": "ledger people jobs quizzes",
    "archive": "ledger people jobs",
    "standing": "ledger people jobs quizzes training archive",
    "reminders": "ledger people jobs quizzes training archive standing",
    "evidence": "ledger people jobs quizzes training archive standing reminders",
    "operations": "ledger people jobs",
    "demo": "ledger people jobs hr scim signon quizzes training archive standing reminders evidence",
}


def our_labels() -> set[str]:
    """Labels of the apps that lie in this checkout."""
    return {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT / config.name.split(".")[0])
    }


def test_every_room_has_its_place():
    assert our_labels() == MAY_POINT_AT.keys()


@pytest.mark.parametrize("label", MAY_POINT_AT)
def test_foreign_keys_point_down(label):
    allowed = {label, *MAY_POINT_AT[label].split()}
    wrong = [
        f"{field} -> {field.related_model._meta.label}"
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.related_model
        if field.related_model._meta.app_label in MAY_POINT_AT.keys() - allowed
    ]
    assert wrong == []


def test_imports_point_down():
    lint = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)  # noqa: S603
    assert answer.returncode == 0, answer.stdout + answer.stderr
