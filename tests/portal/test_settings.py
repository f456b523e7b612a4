"""Settings come from the environment, are documented, and are refused with a sentence that says what to do."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD_KEY = "7Rr2mVZk0cT9xQdLw4YbHs6NfJp1Gu8EaKi3OtXv5CyBzWnMqS"


def read_settings(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess:
    """Load the settings in a process of their own, with these variables and no others of ours."""
    base = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "SECRET_KEY": GOOD_KEY}
    environ = {name: value for name, value in {**base, **variables}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", "import portal.settings"], cwd=ROOT, env=environ, capture_output=True, text=True
    )


def names_read() -> set[str]:
    tree = ast.parse((ROOT / "portal" / "settings.py").read_text(encoding="utf-8"))
    names = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "env":
            if call.func.attr == "share":  # it sets one for others
                continue
            name = ast.literal_eval(call.args[0])
            names |= {name, f"{name}_FILE"} if call.func.attr in ("required", "keys", "secret") else {name}
    return names


def test_every_variable_that_is_read_stands_in_the_example_and_no_other():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == names_read()


def test_only_env_py_looks_into_the_environment():
    readers = [
        path.relative_to(ROOT).as_posix()
        for room in ("portal", "quizzes", "training", "archive")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"os\.(environ(?!\.setdefault)|getenv)", path.read_text(encoding="utf-8"))
    ]
    assert readers == ["portal/env.py"]


def test_a_key_alone_is_enough(tmp_path):
    answer = read_settings(tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_key_may_come_from_a_file(tmp_path):
    key = tmp_path / "key"
    key.write_text(GOOD_KEY + "\n", encoding="utf-8")
    assert read_settings(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=str(key)).returncode == 0


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is not set. Put at least 50 random characters into it"),
        ({"SECRET_KEY": None, "SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE=/nowhere cannot be read: No such file"),
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY is a sample or too short"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is a sample or too short"),
        ({"SECRET_KEY": f"example-{GOOD_KEY}"}, "SECRET_KEY is a sample or too short"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS=* would answer for anybody's host name"),
        ({"HTTPS": "0", "ALLOWED_HOSTS": "training.example.com"}, "HTTPS=0 are for this machine alone"),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "training.example.com"}, "DEBUG=1 and HTTPS=0 are for this machine alone"),
        ({"HTTPS": "perhaps"}, "HTTPS='perhaps' is neither yes nor no. Use 1 or 0."),
        ({"FIRM_TZ": "Shanghai"}, "FIRM_TZ='Shanghai' is not a time zone. Use a name such as Asia/Shanghai."),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES='-1' is not a whole number from 0 to 9."),
        ({"EMAIL_PORT": "70000"}, "EMAIL_PORT='70000' is not a whole number from 0 to 65535."),
        ({"SEALS_BUCKET": "seals"}, "SEALS_BUCKET needs SEALS_BUCKET_KEY_ID and SEALS_BUCKET_SECRET_FILE as well."),
        ({"SEALS_TIMESTAMP_URL": "ftp://tsa"}, "SEALS_TIMESTAMP_URL is an http address, and needs"),
        ({"SEALS_TIMESTAMP_URL": "https://tsa"}, "and needs SEALS_TIMESTAMP_ROOTS as well."),
        ({"SEALS_BUCKET_YEARS": "0"}, "SEALS_BUCKET_YEARS='0' is not a whole number from 1 to 100."),
        ({"ARCHIVE_TEXT": "some"}, "ARCHIVE_TEXT='some' is not one of flagged, all, none."),
    ],
    ids=lambda value: " ".join(f"{name}={text}"[:30] for name, text in value.items()) if type(value) is dict else "",
)
def test_a_wrong_setting_is_refused_in_words(tmp_path, variables, sentence):
    answer = read_settings(tmp_path, **variables)
    assert answer.returncode != 0
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: ")
    assert sentence in last


def test_a_secret_is_not_repeated_in_the_refusal(tmp_path):
    secret = f"example-{GOOD_KEY}"
    assert secret not in read_settings(tmp_path, SECRET_KEY=secret).stderr
