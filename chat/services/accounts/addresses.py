"""Whose address a request comes from, behind as many proxies as we are told to believe."""

from __future__ import annotations

import ipaddress


def client_address(peer: str, forwarded_for: str | None, hops: int) -> str:
    """The client's address: `peer` when `hops` is 0, else what the outermost believed proxy saw.

    Each proxy appends the address it was called from to X-Forwarded-For, so the entry `hops` from the right is the last
    that one of ours wrote; what stands left of it the client may have made up. Malformed or too short: the peer.
    """
    if hops < 1 or not forwarded_for:
        return peer
    entries = [entry.strip() for entry in forwarded_for.split(",")]
    if len(entries) < hops:
        return peer
    try:
        return str(ipaddress.ip_address(entries[-hops].strip("[]")))
    except ValueError:
        return peer


def viewer_address(said: str) -> str | None:
    """The address in a CloudFront-Viewer-Address, `198.51.100.7:46532` or `2001:db8::7:46532`; None when it is none."""
    try:
        return str(ipaddress.ip_address(said.rpartition(":")[0].strip("[]")))
    except ValueError:
        return None


def address_bucket(address: str) -> str:
    """What counts as one address in a rate limit: an IPv4 address, or the /64 that an IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
