"""No URL leads a webhook inside, however its address is written."""

import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.addresses import AddressRefused, InvalidUrl, check, is_public, parse

INSIDE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1"),  # noqa: S104 - not bound to
    *("127.1.2.3", "127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1"),
    *("172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.2.1", "192.31.196.1"),
    *("192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255",),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"),
    *("::ffff:169.254.169.254", "::ffff:7f00:1", "0:0:0:0:0:ffff:c0a8:1", "64:ff9b::127.0.0.1"),
    *("64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8", "100::1"),
    *("2001::1", "2001:0:53aa:64c:0:f7fb:80ff:fffe", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("2002:7f00:1::1", "2002:a00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1", "2620:4f:8000::1"),
    *("3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "febf::1"),
    *("fec0::1", "ff02::1", "ff05::1:3"),
]
WRITTEN_OTHERWISE = [
    *("2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0"),
    *("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "3232235521", "localhost"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]
PUBLIC += ["64:ff9b::8.8.8.8", "2002:808:808::1", "192.0.1.1", "172.32.0.1", "100.128.0.1", "223.255.255.254"]
TRANSLATED = [ip_network(network) for network in ("64:ff9b::/96", "2002::/16", "::ffff:0:0/96")]
HTTPS = parse("https://example.com/hook")


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="not public"):
        check(HTTPS, [address])


@pytest.mark.parametrize("host", WRITTEN_OTHERWISE)
def test_an_inner_address_is_refused_however_it_is_written(host: str) -> None:
    target = parse(f"https://{host}/hook")
    found = [str(place[4][0]) for place in socket.getaddrinfo(target.host, target.port)]

    with pytest.raises(AddressRefused):
        check(target, found)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    check(HTTPS, [address])


def test_there_are_as_many_as_the_lists_of_attackers_have() -> None:
    assert len({*INSIDE, *WRITTEN_OTHERWISE}) >= 80


@pytest.mark.parametrize("inner", ["127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"])
def test_one_inner_address_among_public_ones_is_enough_to_refuse(inner: str) -> None:
    for addresses in (["8.8.8.8", inner], [inner, "2606:4700::1111"], ["8.8.8.8", "1.1.1.1", inner]):
        with pytest.raises(AddressRefused):
            check(HTTPS, addresses)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_as_its_disguises(address: object) -> None:
    plain = is_public(ip_address(str(address)))

    assert is_public(ip_address(f"::ffff:{address}")) == plain
    assert is_public(ip_address(f"64:ff9b::{address}")) == plain


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_knows_to_be_private(address: object) -> None:
    ip = ip_address(str(address))
    if ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        hidden = ip.version == 6 and any(
            ip in ip_network(n) for n in ("64:ff9b::/96", "2002::/16", "::ffff:0:0/96")
        )
        assert hidden or not is_public(ip)


def test_an_operators_networks_are_allowed_with_any_port_and_scheme() -> None:
    networks = [ip_network("127.0.0.0/8"), ip_network("fd00::/8")]

    check(parse("http://localhost:8000/hook", networks), ["127.0.0.1", "fd00::1"], networks)
    for address in ("10.0.0.1", "::1", "8.8.8.8"):  # plain http is for those networks only
        with pytest.raises(AddressRefused):
            check(parse("http://localhost:8000/hook", networks), [address], networks)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "hook",
            "//example.com/",
            "https://",
            "https:///hook",
            "http://example.com/",
            "ftp://example.com/",
        ),
        *(
            "file:///etc/passwd",
            "gopher://example.com:70/_",
            "https://example.com:80/",
            "https://example.com:22",
        ),
        *(
            "https://example.com:99999/",
            "https://example.com:x/",
            "https://me@example.com/",
            "javascript:alert(1)",
        ),
        *(
            "https://me:secret@example.com/",
            "https://example.com/#part",
            "https://exa mple.com/",
            "https://[::1/",
        ),
        *(
            "https://example.com\\@127.0.0.1/",
            "https://example.com/\r\nX: y",
            "https://example.com/\t",
            "https://é.com/",
        ),
        *("https://example.com/\x00", f"https://example.com/{'x' * 2000}"),
    ],
)
def test_what_is_no_url_for_a_webhook_is_refused_in_words(url: str) -> None:
    with pytest.raises(InvalidUrl) as refused:
        parse(url)

    assert str(refused.value).startswith("the URL")


def test_a_url_is_taken_apart() -> None:
    target = parse("https://Example.com:8443/hook/a%20b?x=1&y=2")

    assert (target.scheme, target.host, target.port) == ("https", "example.com", 8443)
    assert target.path == "/hook/a%20b?x=1&y=2"
    assert parse("https://example.com").path == "/"
    assert parse("https://example.com?x=1").path == "/?x=1"


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com{text}", f"https://example.com/{text}"):
        try:
            parse(url)
        except InvalidUrl:
            continue
