"""Every setting of the chat, read once from the environment. Nobody else reads os.environ.

The README's table is tested against the fields of `Config`; keep this module lean, Lambda functions import it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import quote, urlsplit

from chat.errors import ConfigError
from chat.urls import LOOPBACK, bound, is_base, is_site, lacks_password, split

MIN_SECRET_BYTES = 32
MIN_SECRET_KINDS = 8  # different characters; of 32 random digits one in a thousand has fewer
MAX_BODY_BYTES = 64 * 1024  # of a request, at every door


def setting(default: Any, help: str) -> Any:
    """A field of Config whose environment variable is its name in capitals."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Config:
    """Times in seconds, sizes in bytes. `Config.from_env()` builds and checks one."""

    secret_key: str = setting("", "at least 32 random bytes; `make run` makes one and keeps it in DATA_DIR")
    public_url: str = setting("http://localhost:8000", "the address people type; https everywhere but on localhost")
    allowed_origins: tuple[str, ...] = setting(
        (), "further origins that may call with a session, comma-separated, exact (Vite: http://localhost:5173)"
    )
    auth_base: str = setting(
        "", "where the page registers, signs in and out: an address or a path; empty means this server's /api/auth"
    )
    cookie_mode: str = setting(
        "same_site", "same_site, or cross_site on a server that signs people in for a page of another site"
    )
    redis_url: str = setting("redis://127.0.0.1:6379/0", "Redis or Valkey: sessions, counters, the bus")
    redis_host: str = setting("", "in place of REDIS_URL, for passwords that break an address: its host")
    redis_port: int = setting(6379, "with REDIS_HOST")
    redis_username: str = setting("", "with REDIS_HOST")
    redis_password: str = setting("", "with REDIS_HOST")
    redis_tls: bool = setting(False, "with REDIS_HOST: by TLS")
    dynamodb_endpoint: str = setting("", "DynamoDB's address; empty means AWS")
    aws_region: str = setting("eu-west-1", "AWS_REGION or AWS_DEFAULT_REGION")
    table_prefix: str = setting("", "put before the table names `users`, `messages`, `chat`")
    port: int = setting(8000, "where gunicorn listens")
    bind: str = setting("127.0.0.1", "the address gunicorn listens on, or unix:/path for a proxy on the same host")
    workers: int = setting(1, "gunicorn workers")
    data_dir: str = setting("./data", "what `make run` keeps: database, Redis file, keys")
    session_ttl_s: int = setting(1800, "a session ends this long after a person's last act")
    session_max_age_s: int = setting(43200, "and this long after login, whatever happens")
    session_remember_days: int = setting(
        30, 'one whose person ticked "Keep me signed in" ends this long after their last visit; 0 offers no tick'
    )
    bcrypt_cost: int = setting(12, "work factor of password hashes; below 12 only with TESTING=1")
    bcrypt_queue: int = setting(32, "logins that may wait for a hash; beyond: 503 busy")
    ingest_mode: str = setting(
        "poller", "who takes over rows that others put into `messages`: poller (a worker), lambda (a function) or off"
    )
    retention_days: int = setting(0, "how many days messages are kept; 0 keeps them for ever")
    trusted_proxy_hops: int = setting(0, "how many proxies' X-Forwarded-For to believe")
    front_secret: str = setting(
        "", "what CloudFront shows a function, which then believes its CloudFront-Viewer-Address"
    )
    login_failures_per_account: int = setting(10, "wrong passwords for one name in 15 minutes")
    login_failures_per_address: int = setting(50, "wrong passwords from one address in 15 minutes")
    logins_per_account: int = setting(200, "right passwords for one name in 15 minutes")
    registrations_per_address: int = setting(100, "new accounts from one address in an hour")
    sessions_per_user: int = setting(50, "devices one person may be signed in on; one more signs the oldest out")
    sends_per_user: int = setting(100, "what one person may write in 10 seconds; a message of 4 KB counts twice")
    reads_per_user: int = setting(200, "pages of 50 messages that one person may read in 10 seconds")
    rooms_per_user: int = setting(200, "rooms one person may make")
    memberships_per_user: int = setting(1000, "rooms one person may be in; others bring them into half as many")
    invitations_per_user: int = setting(200, "people one person may bring into rooms in an hour")
    sockets_per_user: int = setting(20, "open sockets for one person, in one worker")
    sockets_per_address: int = setting(400, "open sockets from one address (an office is one), in one worker")
    sockets_per_worker: int = setting(900, "open sockets in one worker; 100 more places are kept for plain HTTP")
    fanout: str = setting("fast", "how sockets are served: fast (by the hub) or stock (a greenlet for each)")
    allow_private_targets: bool = setting(
        False, "addresses that people name may be private ones, this machine's too, at any port from 1024: for a LAN"
    )
    log_level: str = setting("info", "debug, info, warning or error")
    testing: bool = setting(False, "allows settings that are unsafe for people: cheap hashes")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, needs_secret: bool = True) -> Config:
        """Reads and checks the settings. Raises: ConfigError with every problem, not only the first."""
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        try:
            env = {**env, **bound(env.get("GUNICORN_CMD_ARGS", ""))}
        except ValueError as error:
            raise ConfigError([f"GUNICORN_CMD_ARGS: {error}"]) from None
        problems: list[str] = []
        for f in fields(cls):
            raw = env.get(f.name.upper(), "")
            if f.name == "aws_region":
                raw = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ""
            if f.name == "public_url" and not raw and split(f"http://x:{env.get('PORT')}").port:
                raw = f"http://localhost:{env['PORT']}"
            if raw == "":
                continue
            try:
                values[f.name] = _parse(f.default, raw)
            except ValueError:
                problems.append(f"{f.name.upper()}={raw!r} is not a {type(f.default).__name__}")
        if problems:
            raise ConfigError(problems)
        config = cls(**values)
        if config.redis_host:
            config = replace(config, redis_url=config.redis_address())
        problems = config.problems() + (config.lacks_secret() if needs_secret else [])
        if problems:
            raise ConfigError(problems)
        return config

    def problems(self) -> list[str]:
        """What is missing or unsafe, one plain sentence each; empty when the chat may start."""
        found = []
        url = split(self.public_url)
        if not is_site(url):
            found.append(f"PUBLIC_URL={self.public_url!r} is not like https://chat.example.org")
        elif url.scheme == "http" and url.hostname not in LOOPBACK:
            found.append("PUBLIC_URL is plain http on a host other than localhost: session cookies would be readable")
        for origin in self.allowed_origins:
            parts = split(origin)
            if not is_site(parts) or origin != f"{parts.scheme}://{parts.netloc}":
                found.append(f"ALLOWED_ORIGINS: {origin!r} is not an exact origin like http://localhost:5173")
            elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
                found.append(
                    f"ALLOWED_ORIGINS: {origin!r} is plain http on a host other than localhost: whoever stands between "
                    "could act as the people who open it"
                )
        if self.auth_base and not is_base(self.auth_base):
            found.append(f"AUTH_BASE={self.auth_base!r} is neither like https://api.example.org/prod nor like /auth")
        if not self.testing and lacks_password(self.redis_url):
            found.append("REDIS_URL is on another machine and has no password: who reaches it is signed in as anybody")
        if self.front_secret and len(self.front_secret.encode()) < MIN_SECRET_BYTES:
            found.append(f"FRONT_SECRET has fewer than {MIN_SECRET_BYTES} bytes")
        redis = split(self.redis_url)
        if redis.scheme not in ("redis", "rediss", "unix") or not (redis.hostname or redis.scheme == "unix"):
            shown = self.redis_url.rpartition("@")[2]  # what is before it may be a password
            found.append(f"REDIS_URL {shown!r} is not like redis://default:password@host:6379/0")
        dynamodb = split(self.dynamodb_endpoint)
        if self.dynamodb_endpoint and (dynamodb.scheme not in ("http", "https") or not dynamodb.hostname):
            found.append(
                f"DYNAMODB_ENDPOINT={self.dynamodb_endpoint!r} is not like https://dynamodb.eu-west-1.amazonaws.com"
            )
        if not re.fullmatch(r"[a-z0-9-]+", self.aws_region):
            found.append(f"AWS_REGION={self.aws_region!r} is not like eu-west-1")
        if self.cookie_mode not in ("same_site", "cross_site"):
            found.append("COOKIE_MODE must be same_site or cross_site")
        if self.bcrypt_cost < 12 and not self.testing:
            found.append("BCRYPT_COST is below 12")
        if self.ingest_mode not in ("poller", "lambda", "off"):
            found.append("INGEST_MODE must be poller, lambda or off")
        if self.fanout not in ("fast", "stock"):
            found.append("FANOUT must be fast or stock")
        if self.retention_days < 0:
            found.append("RETENTION_DAYS must not be negative")
        if not 0 <= self.session_remember_days <= 180:
            found.append("SESSION_REMEMBER_DAYS must be 0 to 180, when such a session is over in any case")
        if not 4 <= self.bcrypt_cost <= 16:
            found.append("BCRYPT_COST must be 4 to 16")
        if not 1 <= self.port <= 65535:
            found.append("PORT must be 1 to 65535")
        for name in (
            "session_ttl_s",
            "session_max_age_s",
            "sessions_per_user",
            "workers",
            "sockets_per_worker",
            "sends_per_user",
            "reads_per_user",
            "rooms_per_user",
            "memberships_per_user",
            "invitations_per_user",
            "logins_per_account",
        ):
            if getattr(self, name) < 1:
                found.append(f"{name.upper()} must be at least 1")
        return found

    def lacks_secret(self) -> list[str]:
        """What is wrong with the secret key, which only who signs something needs."""
        if len(self.secret_key.encode()) < MIN_SECRET_BYTES:
            return [f"SECRET_KEY has fewer than {MIN_SECRET_BYTES} bytes"]
        if len(set(self.secret_key)) < MIN_SECRET_KINDS and not self.testing:
            return [f"SECRET_KEY has fewer than {MIN_SECRET_KINDS} different characters: a random one is needed"]
        return []

    def redis_address(self) -> str:
        """REDIS_HOST and what belongs to it as an address."""
        user, password = quote(self.redis_username, safe=""), quote(self.redis_password, safe="")
        login = f"{user}:{password}@" if user or password else ""
        return f"{'rediss' if self.redis_tls else 'redis'}://{login}{self.redis_host}:{self.redis_port}/0"

    @property
    def session_kept_ttl_s(self) -> int:
        """How long a session that is kept lives on after an act; 0 when none is."""
        return self.session_remember_days * 24 * 3600

    @property
    def secure(self) -> bool:
        """True when people reach the chat by https: cookies are Secure and `__Host-`, HSTS is sent."""
        return self.public_url.startswith("https://")

    @property
    def secure_cookies(self) -> bool:
        """True by https, and across sites, which takes `Secure`; to browsers http localhost is secure enough for it."""
        return self.secure or self.cookie_mode == "cross_site"

    @property
    def cookie_name(self) -> str:
        """`__Host-parley` where cookies are Secure, otherwise `parley`."""
        return "__Host-parley" if self.secure_cookies else "parley"

    @property
    def auth_origin(self) -> str:
        """The origin of AUTH_BASE; empty when that is our own."""
        url = urlsplit(self.auth_base)
        return f"{url.scheme}://{url.netloc}" if url.netloc else ""

    @property
    def own_origins(self) -> tuple[str, ...]:
        """Where our own page is served from, as browsers say it; on localhost, each of its loopback names."""
        url = urlsplit(self.public_url)
        port = f":{url.port}" if url.port not in (None, 443 if url.scheme == "https" else 80) else ""
        if url.hostname in LOOPBACK:
            return tuple(f"{url.scheme}://{host}{port}" for host in ("localhost", "127.0.0.1", "[::1]"))
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        return (f"{url.scheme}://{host}{port}",)

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin that may call with a session."""
        return self.own_origins + self.allowed_origins

    @property
    def hosts(self) -> frozenset[str]:
        """The values of the Host header that we answer to with a session."""
        return frozenset(urlsplit(origin).netloc for origin in self.own_origins)


def _parse(default: Any, raw: str) -> Any:
    if isinstance(default, bool):
        if raw.lower() not in ("0", "1", "true", "false"):
            raise ValueError(raw)
        return raw.lower() in ("1", "true")
    if isinstance(default, int):
        return int(raw)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    return raw
