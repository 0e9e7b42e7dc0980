"""Settings: read once, and refused with everything that is wrong."""

from __future__ import annotations

import pytest

from chat.config import Config
from chat.errors import ConfigError

SECRET = {"SECRET_KEY": "0123456789abcdef" * 2}


def problems(**env: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        Config.from_env(SECRET | env)
    return refused.value.problems


def test_a_secret_is_all_that_is_needed():
    config = Config.from_env(SECRET)
    assert (config.session_ttl_s, config.bcrypt_cost, config.public_url) == (1800, 12, "http://localhost:8000")


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_missing_or_short_secret_refuses_the_start(secret):
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        Config.from_env({"SECRET_KEY": secret})


def test_all_problems_are_named_at_once():
    found = problems(PUBLIC_URL="http://chat.example.org", BCRYPT_COST="11", WORKERS="0", ALLOWED_ORIGINS="nonsense")
    assert [any(word in each for each in found) for word in ("PUBLIC_URL", "BCRYPT_COST", "WORKERS", "ALLOWED_ORIGINS")]
    assert len(found) == 4


@pytest.mark.parametrize(
    "env", [{"PORT": "eighty"}, {"PORT": "70000"}, {"TESTING": "perhaps"}, {"PUBLIC_URL": "ftp://x"}]
)
def test_a_value_that_makes_no_sense_is_refused(env):
    assert problems(**env)


def test_plain_http_is_for_localhost_alone():
    assert Config.from_env(SECRET | {"PUBLIC_URL": "http://127.0.0.1:9000"}).cookie_name == "parley"
    secure = Config.from_env(SECRET | {"PUBLIC_URL": "https://chat.example.org"})
    assert (secure.secure, secure.cookie_name) == (True, "__Host-parley")
    assert problems(PUBLIC_URL="http://chat.example.org")


def test_localhost_answers_under_its_loopback_names_and_others_under_their_own():
    assert Config.from_env(SECRET | {"PORT": "8123"}).hosts == {"localhost:8123", "127.0.0.1:8123", "[::1]:8123"}
    assert Config.from_env(SECRET | {"PUBLIC_URL": "https://chat.example.org"}).hosts == {"chat.example.org"}


@pytest.mark.parametrize(
    "base", ["/auth", "https://x.execute-api.eu-west-1.amazonaws.com/prod", "http://127.0.0.1:9000"]
)
def test_the_page_may_sign_people_in_elsewhere(base):
    assert Config.from_env(SECRET | {"AUTH_BASE": base}).auth_base == base


@pytest.mark.parametrize(
    "base",
    ["auth", "//evil.example", "http://chat.example.org", "https://", "https://a.example/?x", "ftp://a.example",
     "https://a.example/prod/", "https://a.example;script-src", "https://a@b.example", "/a b", "javascript:alert(1)"],
)  # fmt: skip
def test_but_only_at_a_plain_address_or_path(base):
    assert problems(AUTH_BASE=base)


def test_cookies_for_pages_of_other_sites_are_secure_whatever_the_scheme():
    config = Config.from_env(SECRET | {"COOKIE_MODE": "cross_site"})
    assert (config.secure_cookies, config.cookie_name, config.secure) == (True, "__Host-parley", False)
    assert problems(COOKIE_MODE="lax")


@pytest.mark.parametrize("origin", ["*", "http://a.example/path", "a.example", "https://a.example/", "null"])
def test_an_origin_is_exact_or_refused(origin):
    assert problems(ALLOWED_ORIGINS=origin)


def test_cheap_hashes_are_for_tests_alone():
    assert problems(BCRYPT_COST="4")
    assert Config.from_env(SECRET | {"BCRYPT_COST": "4", "TESTING": "1"}).bcrypt_cost == 4


@pytest.mark.parametrize("secret", ["x" * 43, "ab" * 32, "0123456" * 9, "é" * 40])
def test_a_key_that_repeats_itself_is_none(secret):
    with pytest.raises(ConfigError, match="SECRET_KEY has fewer than 8 different"):
        Config.from_env({"SECRET_KEY": secret})
    assert Config.from_env({"SECRET_KEY": secret, "TESTING": "1"}).secret_key == secret


def test_another_site_may_call_by_plain_http_on_this_machine_only():
    good = "http://localhost:5173,http://127.0.0.1:8000,http://[::1]:9000,https://chat.example.org"
    assert len(Config.from_env(SECRET | {"ALLOWED_ORIGINS": good}).allowed_origins) == 4
    for origin in ("http://chat.example.org", "http://10.0.0.7:5173", "http://localhost.evil.example"):
        [problem] = problems(ALLOWED_ORIGINS=f"{good},{origin}")
        assert origin in problem and "plain http" in problem


REMOTE = {"REDIS_URL": "redis://redis:6379/0"}, {"REDIS_URL": "rediss://parley@10.0.0.7/0"}, {"REDIS_HOST": "redis"}
OURS = (
    {"REDIS_URL": "redis://localhost/0"},
    {"REDIS_URL": "redis://[::1]:6379"},
    {"REDIS_URL": "unix:///run/redis.sock"},
    {"REDIS_URL": "redis://:pass@redis:6379/0"},
    {"REDIS_HOST": "redis", "REDIS_PASSWORD": "p@ss/word"},
)


@pytest.mark.parametrize("env", REMOTE)
def test_a_redis_on_another_machine_has_a_password(env):
    [problem] = problems(**env)
    assert problem.startswith("REDIS_URL") and "password" in problem
    assert Config.from_env(SECRET | env | {"TESTING": "1"})


@pytest.mark.parametrize("env", OURS)
def test_one_on_this_machine_or_with_a_password_is_as_before(env):
    assert Config.from_env(SECRET | env)


def test_what_cloudfront_shows_is_not_to_be_guessed():
    assert problems(FRONT_SECRET="short") == ["FRONT_SECRET has fewer than 32 bytes"]
    assert Config.from_env(SECRET | {"FRONT_SECRET": "0123456789abcdef" * 2})
