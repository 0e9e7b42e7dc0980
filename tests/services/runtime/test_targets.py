"""Where we may be sent: URLs that have one meaning, and numbers that are anybody's."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.services.runtime.targets import Refused, Target, judged

PUBLIC = ["93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "192.0.1.0",
          "223.255.255.255", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001::200e", "2001:200::1"]  # fmt: skip
LAN = ["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
       "100.127.255.255", "::1", "fc00::1", "fd12:3456::1"]  # fmt: skip
NOBODYS = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.1.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "100.100.100.200", "168.63.129.16", "::", "fe80::1", "febf::1", "fec0::1", "ff02::1", "fd00:ec2::254",
    "fd20:ce::254", "2001::1", "2001:1::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1",
    "100::1", "5f00::1", "4000::1", "64:ff9b:1::808:808", "::ffff:0:808:808", "::808:808",
    "fe80::1%eth0", "2606:2800:220::1%1", "fd12::1%lo",
]  # fmt: skip
CARRIERS = {"mapped": "::ffff:{}", "by NAT64": "64:ff9b::{}"}


def refusal(address: str, allow_private: bool) -> str:
    with pytest.raises(Refused) as refused:
        judged(address, allow_private)
    return refused.value.reason


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_anybodys(address: str) -> None:
    assert judged(address, False) == judged(address, True) == address


@pytest.mark.parametrize("address", LAN)
def test_a_private_one_is_for_who_allows_it(address: str) -> None:
    assert refusal(address, False) == "private"
    assert judged(address, True) == address


@pytest.mark.parametrize("address", NOBODYS)
def test_metadata_tunnels_groups_and_what_is_nobodys_are_never_asked(address: str) -> None:
    assert [refusal(address, allowed) for allowed in (False, True)] == ["private", "private"]


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_an_address_of_version_4_in_one_of_6_is_judged_as_what_it_is(carrier: str) -> None:
    for each in (address for address in (*PUBLIC, *LAN, *NOBODYS) if ":" not in address):
        carried = carrier.format(each)
        if each in PUBLIC:
            assert ip_address(judged(carried, False)) == ip_address(each if "ffff" in carried else carried)
        else:
            assert refusal(carried, False) == "private"
        if each in LAN:
            assert judged(carried, True)
        elif each in NOBODYS:
            assert refusal(carried, True) == "private"


@pytest.mark.parametrize("address", ["", "localhost", "1.2.3", "0x7f000001", "1.2.3.4/8", "[::1]", "1.2.3.4 "])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refusal(address, True) == "private"


@given(st.ip_addresses())
def test_what_may_be_asked_is_global_to_python_too(address: object) -> None:
    try:
        found = ip_address(judged(str(address), False))
    except Refused:
        return
    assert (found.is_global or found.exploded.startswith("0064:ff9b")) and not found.is_multicast


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("http://example.org", "http://example.org", "/"),
        ("HTTPS://Example.ORG:443/a%20b?c=d&e[]=%2f#top", "https://example.org", "/a%20b?c=d&e[]=%2f"),
        ("https://example.org:8443?x", "https://example.org:8443", "/?x"),
        ("http://example.org:443/", "http://example.org:443", "/"),
        ("http://xn--mller-kva.example/straße", "http://xn--mller-kva.example", "/stra%C3%9Fe"),
        ('http://example.org/"<>^`{|}', "http://example.org", "/%22%3C%3E%5E%60%7B%7C%7D"),
        ("http://[2606:2800:220::1]:8080/", "http://[2606:2800:220::1]:8080", "/"),
        ("http://93.184.216.34/@user:pass", "http://93.184.216.34", "/@user:pass"),
        ("http://a_b.example-1.org/", "http://a_b.example-1.org", "/"),
    ],
)
def test_a_url_is_taken_apart_and_comes_together_the_same(url: str, origin: str, path: str) -> None:
    target = Target.of(url, any_port=False)
    assert (target.origin, target.path) == (origin, path)
    assert Target.of(target.url, any_port=False) == target


@pytest.mark.parametrize(
    ("reason", "urls"),
    [
        ("url", ["http://example.org/a b", "http://example.org/\r\nHost: x", "http://exam\tple.org/", " http://example.org",
                 "http://example.org\\@127.0.0.1/", "http://example.org/\0", "http://[::1",
                 "http://example.org/" + "x" * 2048, "http://127.0.0.1／.example.org/", "http://example.org/\x85"]),
        ("scheme", ["", "//example.org", "example.org", "ftp://example.org", "file:///etc/passwd", "gopher://example.org",
                    "javascript:alert(1)", "data:,x", "httpx://example.org", "unix:///run/redis"]),
        ("userinfo", ["http://user@example.org", "http://user:pass@example.org/", "http://@example.org",
                      "http://example.org:80@127.0.0.1/", "http://a@b@example.org"]),
        ("host", ["http://", "http:///path", "http:example.org", "https://:443/", "http://exa$mple.org",
                  "http://.example.org", "http://example.org./", "http://a..b/", f"http://{'a' * 64}.org/",
                  f"http://{'a.' * 130}org/", "http://müller.example/", "http://ⓛocalhost/", "http://127。0。0。1/",
                  "http://%6cocalhost/", "http://example.org:eighty/", "http://example.org:٨٠/", "http://example.org:123456/",
                  "http://example.org:-80/", "http://example.org:+80/", "http://K.example/", "http://a:80:80/"]),
        ("port", ["http://example.org:22/", "http://example.org:6379/", "https://example.org:25/", "http://example.org:0/",
                  "http://example.org:8000/", "http://example.org:65536/"]),
    ],
)  # fmt: skip
def test_what_two_readers_could_read_in_two_ways_is_refused(reason: str, urls: list[str]) -> None:
    said = {}
    for url in urls:
        with pytest.raises(Refused) as refused:
            Target.of(url, any_port=False)
        said[url] = refused.value.reason
    assert said == dict.fromkeys(urls, reason)


@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[1.2.3.4]", "[v1.x]", "[localhost]", "[::1]x", "x[::1]", "[]"])
def test_brackets_are_for_a_whole_address_of_version_6(host: str) -> None:
    """Later Pythons refuse some of these as no URL at all."""
    with pytest.raises(Refused, match=r"host|url"):
        Target.of(f"http://{host}/", any_port=True)


def test_where_private_addresses_are_allowed_so_are_ports_that_programs_choose() -> None:
    for port in (80, 443, 1024, 8000, 65535):
        assert Target.of(f"http://example.org:{port}", any_port=True).port == port
    for port in (0, 22, 25, 1023):
        with pytest.raises(Refused, match="port"):
            Target.of(f"http://example.org:{port}", any_port=True)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://example.org/b"),
        ("c?d", "https://example.org/a/c?d"),
        ("//other.example/x", "https://other.example/x"),
        ("https://example.org:8443/", "https://example.org:8443/"),
    ],
)
def test_a_redirect_leads_to_where_a_browser_would_go(location: str, url: str) -> None:
    assert Target.of("https://example.org/a/b", False).leads_to(location, False).url == url


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://example.org/", "downgraded"),
        ("ftp://example.org/", "scheme"),
        ("https://u@example.org/", "userinfo"),
        ("/a\tb", "url"),
        ("//[", "url"),
        ("https://example.org:22/", "port"),
    ],
)
def test_or_is_refused_as_any_url(location: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        Target.of("https://example.org/a", False).leads_to(location, False)
