"""What people write that is not a plain sentence."""

from __future__ import annotations

import random
from collections.abc import Callable

WORDS = ["lunch", "today", "maybe", "later", "ship", "review", "merge", "broken", "fixed", "thanks", "coffee", "why"]
LONGEST = 4_000


def plain(dice: random.Random) -> str:
    return " ".join(dice.choices(WORDS, k=dice.randint(1, 9)))


def lines(dice: random.Random) -> str:
    return "\n".join(plain(dice) for _ in range(dice.randint(2, 6)))


def tall(dice: random.Random) -> str:
    """So high that it is shown cut."""
    return "\n".join(f"line {number}" for number in range(dice.randint(19, 40)))


def longest(dice: random.Random) -> str:
    """As many characters as a message may have, counted as the server counts them."""
    return ("".join(dice.choices("abc d🙂é\n", k=LONGEST - 2)).strip() + "z" * LONGEST)[:LONGEST]


ODD: tuple[Callable[[random.Random], str], ...] = (
    lambda dice: f"שלום עולם {plain(dice)} מה שלומך?",
    lambda dice: f"مرحبا {plain(dice)} \u202eright to left\u202c 123",
    lambda dice: "🎉🚀👩‍👩‍👧‍👦",
    lambda dice: f"👍🏽 {plain(dice)} 🇬🇷 e\u0301",
    lambda dice: "x" * dice.randint(200, 900),
    lambda dice: f"see https://example.org/{dice.randrange(99)}?q=a&b=c#d, and (http://example.com/a_(b)).",
    lambda dice: f"<b>{plain(dice)}</b><script>alert(1)</script><img src=x onerror=alert(2)> &amp;",
    lambda dice: f"**{plain(dice)}** `code` [link](javascript:alert(1)) {{{{7*7}}}} ${{x}}",
    lambda dice: f"{plain(dice)}  two  blanks\tand a tab",
    lambda dice: f"__proto__ constructor {plain(dice)}",
    tall,
    longest,
)


def odd(dice: random.Random) -> str:
    return dice.choice(ODD)(dice)
