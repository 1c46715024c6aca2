"""What a route takes: how many files, under which options."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway import problems
from gateway.door.door import the_door
from pipeline.addresses import InvalidUrl, parse
from pipeline.options import InvalidOption, Options

MAX_FILES = 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What a route takes."""

    options: Mapping[str, str]
    """Those of the query; a form's fields are added to them."""
    name: str | None = None
    """Of the file that is the whole body, where the body is no form; `None` takes forms only."""
    max_files: int = MAX_FILES
    strict: bool = True
    """Refuse options that do not exist, and files that are surely no media: the original contract
    ignores the first, and answers the second by mail."""

    def parse(self, fields: Mapping[str, str]) -> Options:
        """Return the options of the query and of these fields.

        Raises:
            Problem: one of them is not allowed.
        """
        given = {**self.options, **fields}
        if not self.strict:
            given = {name: value for name, value in given.items() if name in Options.model_fields}
        try:
            options = Options.parse(given)
            if options.callback_url is not None:
                parse(options.callback_url, the_door().settings.webhook_networks)
        except InvalidOption as error:
            raise problems.invalid_option(str(error)) from None
        except InvalidUrl as error:
            raise problems.invalid_url(str(error)) from None
        return options
