"""How logs are written: JSON lines that hold no personal data."""

import logging
import traceback
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

from portal import tracing

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class QuietFormatter(JsonFormatter):
    """Keeps an exception's class and frames and drops its message: a database's error may quote the row.

    Django hands the request over beside the message, which has its path; the request's own text has the query as well,
    and a query may name somebody.
    """

    def formatException(self, ei: ExcInfo) -> str:
        kind, _error, where = ei
        frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(where)]
        return "\n".join([*frames, kind.__name__])

    def add_fields(self, log_data: dict, record: logging.LogRecord, message_dict: dict) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data.pop("request", None)
        if tracing.current():
            log_data["request_id"] = tracing.current()

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have put the whole text there
        return super().format(record)
