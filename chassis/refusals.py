"""What every service refuses in the same words; its catalogue declares them."""

from chassis.problem import Words


def bad_request(reason: str) -> Words:
    """The request cannot be understood."""
    return Words(
        f"the request cannot be understood: {reason[:200]}", "/docs describes what each address accepts."
    )


def login_needed() -> Words:
    """A personal key cannot manage personal keys."""
    return Words(
        "a personal key cannot manage keys",
        "Use your password instead, so that a leaked key cannot create others.",
    )


def method_not_allowed(method: str, allowed: str) -> Words:
    """The address exists, but not for this method; `Allow` lists those that work."""
    return Words(
        f"{method[:20]} is not allowed here; allowed: {allowed}",
        "Use one of the allowed methods; /docs describes them.",
        {"Allow": allowed},
    )


def not_found(path: str) -> Words:
    """There is nothing at this address."""
    slash = " Leave out the trailing slash." if path.endswith("/") and path != "/" else ""
    return Words(f"there is nothing at {path[:100]}", f"/docs lists all addresses.{slash}")


def too_large(limit: int) -> Words:
    """The body or file is larger than allowed."""
    return Words(f"this is larger than the {limit} bytes that are allowed", "Send a shorter or smaller file.")
