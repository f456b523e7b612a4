"""A configuration for gunicorn: after each request the connection that has just served it is asked how it commits."""

import os
from pathlib import Path


def post_request(worker, req, environ, resp) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        told = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
    Path(os.environ["PRAGMAS_TO"]).write_text(f"{told[0]} {told[1]}")
