"""Which addresses on the network somebody else may send us to: URLs taken apart strictly, and numbers judged.

Sources: IANA's registries of special-purpose IPv4 and IPv6 addresses; where the clouds' metadata services answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit

MOST_CHARS, MOST_HOST_CHARS = 2048, 253
PUBLIC_PORTS = (80, 443, 8080, 8443)
DEFAULT_PORTS = {"http": 80, "https": 443}
LABEL = "[a-z0-9_-]{1,63}"
AUTHORITY = re.compile(rf"((?P<name>{LABEL}(\.{LABEL})*)|\[(?P<number>[0-9a-f:.]+)\])(:(?P<port>[0-9]{{0,5}}))?")
SAFE = "/%:@!$&'()*+,;=~-._"  # may stand in a path; everything else is encoded

# What a LAN is made of, and this machine.
PRIVATE = [ip_network(each) for each in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "::1/128", "fc00::/7",
)]  # fmt: skip
# Nobody's service, or one that nobody may be sent to: also not on a LAN.
NEVER = [ip_network(each) for each in (
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",  # of global unicast: protocols, examples, tunnels
    "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::/64",  # metadata: Alibaba, Azure, AWS, Google
)]  # fmt: skip
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")  # how a host without IPv4 sees all that has no IPv6


class Refused(Exception):
    """Nothing is fetched from there, or what came is not taken. `reason` is one of those that
    chat/services/runtime/guarded_http.py lists; whoever named the address is told no more than that it failed."""

    def __init__(self, reason: str, told: str = ""):
        super().__init__(f"{reason}: {told}" if told else reason)
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """A URL, taken apart; `path` is what the request's first line names."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str, any_port: bool) -> Target:
        """Raises: Refused `url`, `scheme`, `userinfo`, `host`, `port`."""
        _refuse_unreadable(url)
        try:
            parts = urlsplit(url)
        except ValueError:
            raise Refused("url") from None
        if parts.scheme not in DEFAULT_PORTS:
            raise Refused("scheme")
        if "@" in parts.netloc:
            raise Refused("userinfo")
        host, number = _host_and_port(parts.netloc)
        port = int(number or DEFAULT_PORTS[parts.scheme])
        if port not in PUBLIC_PORTS and not (any_port and 1024 <= port <= 65535):
            raise Refused("port")
        query = f"?{quote(parts.query, SAFE + '?[]')}" if parts.query else ""
        return cls(parts.scheme, host, port, quote(parts.path or "/", SAFE) + query)

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.path

    def leads_to(self, location: str, any_port: bool) -> Target:
        """Where a redirect from here goes. Raises: Refused, also `downgraded`: from https to http."""
        _refuse_unreadable(location)
        try:
            there = Target.of(urljoin(self.url, location), any_port)
        except ValueError:
            raise Refused("url") from None
        if self.scheme == "https" and there.scheme == "http":
            raise Refused("downgraded")
        return there


def _refuse_unreadable(url: str) -> None:
    """Before anything takes it apart: what one reader would leave out, and another one would not."""
    if len(url) > MOST_CHARS or re.search(r"[\x00-\x20\x7f-\x9f\\]", url):
        raise Refused("url")


def _host_and_port(authority: str) -> tuple[str, str]:
    """Letters and digits alone: who names another alphabet's writes its xn-- form, so that nobody's rules of folding
    decide where we go. Raises: Refused."""
    read = AUTHORITY.fullmatch(authority.lower())
    if read is None or not authority.isascii():  # a letter of another alphabet may have one of ours as its small form
        raise Refused("host")
    name, number, port = read["name"], read["number"], read["port"]
    if name is not None and len(name) > MOST_HOST_CHARS:
        raise Refused("host")
    try:
        return name or str(IPv6Address(number)), port or ""
    except ValueError:
        raise Refused("host") from None


def judged(address: str, allow_private: bool) -> str:
    """The address to connect to, if anybody may be sent there. Raises: Refused `private`."""
    try:
        found = ip_address(address)
    except ValueError:
        raise Refused("private", address) from None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    seen = found
    if isinstance(found, IPv6Address) and found.scope_id is None and found in NAT64:
        seen = IPv4Address(found.packed[-4:])
    if not _may_be_asked(seen, allow_private):
        raise Refused("private", address)
    return str(found)


def _may_be_asked(address: IPv4Address | IPv6Address, allow_private: bool) -> bool:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    if any(address in each for each in NEVER):
        return False
    if any(address in each for each in PRIVATE):
        return allow_private
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global  # what a later Python knows besides
