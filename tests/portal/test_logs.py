import json
import logging
import sys

from portal.logs import QuietFormatter


def test_an_exceptions_message_stays_out_of_the_log():
    try:
        raise ValueError("Key (email)=(lin.yue@example.com) already exists")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "job %s failed", (7,), None)
        record.exc_info = sys.exc_info()
    line = json.loads(QuietFormatter("%(levelname)s %(message)s").format(record))
    assert line["message"] == "job 7 failed"
    assert "ValueError" in line["exc_info"]
    assert "test_logs" in line["exc_info"]
    assert "lin.yue" not in json.dumps(line)


def test_a_refused_requests_query_stays_out_of_the_log(client, db):
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    kept = Kept()
    kept.setFormatter(QuietFormatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("django.request")
    logger.addHandler(kept)
    try:
        answer = client.get("/scim/v2/Users", {"filter": "lin.yue@example.com"})
    finally:
        logger.removeHandler(kept)
    assert answer.status_code == 401
    [line] = lines
    assert "/scim/v2/Users" in line
    assert "lin.yue" not in line
