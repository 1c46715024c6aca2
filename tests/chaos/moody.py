"""A mail server that likes some and dislikes others, as their addresses say."""

import asyncio
from email import message_from_bytes
from typing import Any

from aiosmtpd.handlers import Mailbox

LATER, NEVER, SLOWLY = "later@example.com", "never@example.com", "slowly@example.com"
SLOW_SECONDS = 2.0


class Moody(Mailbox):
    """Takes every mail: those to `LATER` at the second try, to `NEVER` not at all, to `SLOWLY` slowly.

    What a sender dies over before it is told `250` is not taken.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._seen: set[str] = set()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Answer the text of a mail."""
        if NEVER in envelope.rcpt_tos:
            return "554 5.7.1 we do not like it"
        if LATER in envelope.rcpt_tos:
            mail = str(message_from_bytes(envelope.content)["Message-ID"])
            if mail not in self._seen:
                self._seen.add(mail)
                return "451 4.3.0 come back later"
        if SLOWLY in envelope.rcpt_tos:
            await asyncio.sleep(SLOW_SECONDS)
        answer: str = await super().handle_DATA(server, session, envelope)
        return answer
