"""A plain name for the device behind a User-Agent, such as "Firefox on Linux", for a person's list of devices.

Only what stands in the list below is named: the header is whatever a client likes to send.
"""

from __future__ import annotations

MAX_CHARS = 512
# The first that is found counts: browsers name their ancestors too (Edge says Chrome and Safari).
PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
    ("Python", "Python"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """`<program> on <system>`, as far as they are known."""
    read = user_agent[:MAX_CHARS]
    program = next((name for mark, name in PROGRAMS if mark in read), "")
    system = next((name for mark, name in SYSTEMS if mark in read), "")
    if program and system:
        return f"{program} on {system}"
    return program or system or "Unknown device"
