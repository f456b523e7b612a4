"""The checker of docs/ledger.md, as a stranger would run it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
[CHECKER] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def checked(tmp_path):
    """Run the checker of the documentation, in a process without this project, and return what it says."""
    script = tmp_path / "check_proof.py"
    script.write_text(CHECKER, encoding="utf-8")

    def go(proof: dict, *trusted: str) -> tuple[int, str]:
        file = tmp_path / "proof.json"
        file.write_text(json.dumps(proof), encoding="utf-8")
        answer = subprocess.run(  # noqa: S603
            [sys.executable, "-I", script, file, *trusted], cwd=tmp_path, capture_output=True, text=True
        )
        return answer.returncode, answer.stdout + answer.stderr

    return go
