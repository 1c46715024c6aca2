"""Write one line per event: JSON for machines, coloured text on a terminal.

`bind` adds names (job_id, request_id) to every later line of the same thread or request.
The standard library's loggers (gunicorn, pika) come out in the same form.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Literal

import structlog
import structlog.tracebacks

Log = structlog.stdlib.BoundLogger

_CHATTY = {"httpx": logging.WARNING, "pymongo": logging.WARNING, "pika": logging.CRITICAL}
"""The least level heard of these: pika tells every refused connection five times, `broker` once."""
_SECRETS = re.compile(
    r"(v2m_|whsec_|/s/|/feeds/)[A-Za-z0-9_+/=.-]{8,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
"""Personal keys, secrets of webhooks, addresses of links and feeds, tokens: whoever would log one."""
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    # Without the values of variables: they hold passwords, tokens and strangers' files.
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(service: str, level: str = "info", form: Literal["auto", "json", "console"] = "auto") -> None:
    """Send every log line of this process to standard output as one event a line.

    Args:
        service: the value of `service` in each line.
        level: the least level written.
        form: `auto` is text on a terminal and JSON elsewhere.
    """
    console = form == "console" or (form == "auto" and sys.stdout.isatty())

    def with_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        with_service,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
    ]

    def without_secrets(_: Any, __: str, line: Any) -> str:
        return _SECRETS.sub(lambda found: f"{found[1] or ''}…", line)

    final: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [_TRACEBACKS, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final, without_secrets],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for chatty, least in _CHATTY.items():
        logging.getLogger(chatty).setLevel(max(least, logging.getLogger().level))


def get(name: str) -> Log:
    """Return the logger of a module."""
    log: Log = structlog.stdlib.get_logger(name)
    return log


def bind(**names: str) -> AbstractContextManager[Any]:
    """Add names to every log line within the `with` block."""
    return structlog.contextvars.bound_contextvars(**names)
