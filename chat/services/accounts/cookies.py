"""The cookies of a sign-in, as header values: the same from Flask and from the Lambda functions.

They are written here by hand because `http.cookies` before Python 3.14 refuses `Partitioned`. With
COOKIE_MODE=cross_site they work also when the page is of another site than the server that signs people in: of all
that Chromium 156 was offered across sites, it kept only `__Host-…; Path=/; SameSite=None; Secure; Partitioned`, and it
lets go of it only when told so with `Partitioned` too.

They are read here too, also for Flask, by Werkzeug's rules (tests/services/test_cookies.py): one site's odd cookie does
not hide the others, for which `http.cookies` gives up on the whole header. Werkzeug's own reader would need the square
of the header's length for blanks that lead to nothing.
"""

from __future__ import annotations

import re

from chat.config import Config
from chat.services.accounts.browsers import KNOWN_S
from chat.services.sessions.record import ID

BLANK = r"[ \t]*+"  # what is taken is never given back: the time is that of the header's length
QUOTED = r'"(?:\\.|[^"\\])*"'
PAIR = re.compile(rf'{BLANK}([^ \t=";]++)(?:{BLANK}={BLANK}({QUOTED}|[^ \t";]*+))?{BLANK}(?:;|\Z)')


def value(header: str, name: str) -> str:
    """What the header `Cookie` says of the first cookie of that name; empty when there is none.

    A value in quotes is taken out of them. What is escaped there stays so: nothing of ours ever is.
    """
    at = 0
    while at < len(header):
        pair = PAIR.match(header, at)
        if pair is None:  # no cookie: on behind the next semicolon
            at = (header.find(";", at) + 1) or len(header)
            continue
        if pair[1] == name:
            found = pair[2] or ""
            return found[1:-1] if found.startswith('"') else found
        at = pair.end()
    return ""


def session_id(header: str, cookie_name: str) -> str | None:
    """The id of a session, live or not, that the header `Cookie` of a socket's handshake carries, or None."""
    sid = value(header, cookie_name)
    return sid if ID.fullmatch(sid) else None


def browser_name(config: Config) -> str:
    """The cookie by which a browser is known to have signed in before; it outlives sessions and opens none."""
    return config.cookie_name + "-browser"


def session_cookie(config: Config, sid: str, lives_s: int | None = None) -> str:
    """`Set-Cookie` for a session that has begun; the browser drops it when the session can live no longer, `lives_s`
    from now."""
    return _cookie(config, config.cookie_name, sid, config.session_max_age_s if lives_s is None else lives_s)


def no_session_cookie(config: Config) -> str:
    """`Set-Cookie` that takes the session's cookie back."""
    return _cookie(config, config.cookie_name, "", 0)


def browser_cookie(config: Config, known: str) -> str:
    """`Set-Cookie` for what `Accounts.known_browser` made."""
    return _cookie(config, browser_name(config), known, KNOWN_S)


def _cookie(config: Config, name: str, value: str, max_age_s: int) -> str:
    parts = [f"{name}={value}", f"Max-Age={max_age_s}", "Path=/", "HttpOnly"]
    if config.secure_cookies:
        parts.append("Secure")
    parts += ["SameSite=None", "Partitioned"] if config.cookie_mode == "cross_site" else ["SameSite=Lax"]
    return "; ".join(parts)
