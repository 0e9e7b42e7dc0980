"""Addresses as settings have them: what one has to look like, and what it says."""

from __future__ import annotations

import shlex
from urllib.parse import SplitResult, urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


def split(address: str) -> SplitResult:
    """The parts of an address; none where it cannot be taken apart, or its port is no number of one."""
    try:
        parts = urlsplit(address)
        return parts if (parts.port or 1) > 0 else SplitResult("", "", "", "", "")
    except ValueError:
        return SplitResult("", "", "", "", "")


def is_site(url: SplitResult) -> bool:
    """Whether it is like https://chat.example.org and says no more."""
    plain = not (url.query or url.fragment or "@" in url.netloc)
    return url.scheme in ("http", "https") and bool(url.hostname) and url.path in ("", "/") and plain


def bound(gunicorn_arguments: str) -> dict[str, str]:
    """BIND and PORT as gunicorn's own setting has them: it wins there, so it must be what everybody goes by. Raises:
    ValueError."""
    words = shlex.split(gunicorn_arguments)
    addresses = []
    for at, word in enumerate(words):
        flag, _, value = word.partition("=")
        if word in ("-b", "--bind"):
            addresses += words[at + 1 : at + 2]
        elif flag == "--bind":
            addresses.append(value)
        elif word.startswith("-b") and not word.startswith("--"):
            addresses.append(word[2:].removeprefix("="))
    if not addresses:
        return {}
    if len(addresses) > 1:
        raise ValueError("Parley listens at one address, --bind names several")
    (address,) = addresses
    if address.startswith("unix:"):
        return {"BIND": address}
    host, colon, port = address.rpartition(":")
    if address.startswith("fd://") or not colon or not port.isdigit():
        raise ValueError(f"--bind {address} is not like 127.0.0.1:8000 or unix:/path")
    return {"BIND": host.strip("[]") or "0.0.0.0", "PORT": port}


def is_base(base: str) -> bool:
    """Whether it is like https://api.example.org/prod, or like /auth."""
    url = split(base)
    plain = not (url.query or url.fragment or url.username) and not base.endswith("/") and base.isascii()
    if not url.scheme:
        return plain and not url.netloc and base.startswith("/") and not set(base) & set(" \\;,\"'")
    local = url.scheme == "http" and url.hostname in LOOPBACK
    return plain and (url.scheme == "https" or local) and bool(url.hostname) and not set(base) & set(" \\;,\"'")


def lacks_password(redis_url: str) -> bool:
    """Whether anybody else who reaches that Redis may use it."""
    url = split(redis_url)
    return bool(url.hostname) and url.hostname not in LOOPBACK and not url.password
