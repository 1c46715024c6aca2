"""Where on the network a webhook may be sent: never to an address inside, whatever its name says.

A stranger chooses the URL, so this is the guard against server-side request forgery.  Every address that
the name has must be public, and the connection goes to the address that was looked at
(`notification.outbound`): a name may answer differently the next time.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

PORTS = (443, 8443)
MAX_URL = 2000

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
"""A setting: networks in CIDR form with commas or spaces between."""

_NOT_PUBLIC = [
    ip_network(network)
    for network in (
        # https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-: all, as interpreters differ.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
    )
]
ANYWHERE = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_6TO4, _NAT64 = IPv6Network("2002::/16"), IPv6Network("64:ff9b::/96")


class InvalidUrl(ValueError):
    """The text is no URL that a webhook can be sent to; the message says which are."""


class AddressRefused(Exception):
    """The URL leads, or could lead, to an address that is not public."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart; `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str


def parse(url: str, inside: Sequence[Network] = ()) -> Target:
    """Take a URL apart.

    Args:
        url: what a user gave.
        inside: the networks that an operator allows besides; without any, only https and the usual ports
            make sense.

    Raises:
        InvalidUrl: it is not of the form https://host[:8443]/path.
    """
    if len(url) > MAX_URL:
        raise InvalidUrl(f"the URL is longer than {MAX_URL} characters")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise InvalidUrl("the URL contains characters that must be percent-encoded")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidUrl("the URL's host or port cannot be read") from None
    schemes = ("https", "http") if inside else ("https",)
    if parts.scheme not in schemes or not host:
        raise InvalidUrl(f"the URL must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidUrl("the URL must not contain a user name, a password or a fragment")
    port = port or {"https": 443, "http": 80}[parts.scheme]
    if not inside and port not in PORTS:
        raise InvalidUrl(f"the URL's port must be {' or '.join(map(str, PORTS))}")
    path = parts.path or "/"
    return Target(parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path)


def check(target: Target, addresses: Iterable[str], inside: Sequence[Network] = ()) -> None:
    """Return when every one of these addresses may be connected to.

    Raises:
        AddressRefused: one of them may not: the others are as good as chosen by a stranger too.
    """
    for text in addresses:
        address = ip_address(text.partition("%")[0])
        if any(address in network for network in inside if network.version == address.version):
            continue
        if not is_public(address):
            raise AddressRefused(f"{target.host} has an address that is not public")
        if target.scheme != "https" or target.port not in PORTS:
            raise AddressRefused(f"only https and the ports {' and '.join(map(str, PORTS))} are allowed")


def is_public(address: Address) -> bool:
    """Tell whether an address is on the public internet, and so is every address that hides in it."""
    if isinstance(address, IPv6Address):
        hidden = _hidden(address)
        if hidden is not None:
            return is_public(hidden)
        if address not in _GLOBAL_UNICAST:
            return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def _hidden(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one is mapped or translated to (RFC 4291, 3056, 6052)."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _6TO4:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
