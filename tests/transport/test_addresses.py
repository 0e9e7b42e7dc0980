"""Whose address a request counts for."""

from __future__ import annotations

import pytest

from chat.services.accounts.addresses import address_bucket, client_address, viewer_address

PEER = "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "hops", "address"),
    [
        (None, 0, PEER),
        ("203.0.113.7", 0, PEER),
        ("203.0.113.7", 1, "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", 1, "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", 2, "198.51.100.1"),
        ("198.51.100.1,203.0.113.7 , 10.0.0.2", 2, "203.0.113.7"),
        ("203.0.113.7", 2, PEER),
        (None, 1, PEER),
        ("", 1, PEER),
        (",", 1, PEER),
        ("unknown", 1, PEER),
        ("203.0.113.7, not an address", 1, PEER),
        ("203.0.113.7:4711", 1, PEER),
        ("999.1.1.1", 1, PEER),
        ("[2001:db8::1]", 1, "2001:db8::1"),
        ("2001:DB8:0::1", 1, "2001:db8::1"),
        ("203.0.113.7", -1, PEER),
    ],
)
def test_the_entry_that_the_outermost_believed_proxy_wrote_counts(
    forwarded: str | None, hops: int, address: str
) -> None:
    assert client_address(PEER, forwarded, hops) == address


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::1", "::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unix:" + "x" * 200, "unix:" + "x" * 59),
    ],
)
def test_an_ipv6_network_is_one_address(address: str, bucket: str) -> None:
    assert address_bucket(address) == bucket


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("198.51.100.7:46532", "198.51.100.7"),
        ("2001:db8::7:46532", "2001:db8::7"),
        ("[2001:db8::7]:46532", "2001:db8::7"),
        ("198.51.100.7", None),
        ("example.org:80", None),
        (":", None),
        ("", None),
    ],
)
def test_cloudfront_says_the_address_and_the_port(said, address):
    assert viewer_address(said) == address
