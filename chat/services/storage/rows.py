"""What the rows of all nouns have in common. How those of one lie in the tables says its own file.

Three tables, no secondary index (an index is eventually consistent and unordered, so not lossless). `messages` has a
stream of new and old images; the app's own keys contain `#` there, and those of rows that anyone puts do not.
"""

from __future__ import annotations

from typing import Any

# What this version reads, in the tables and on the bus: all that is written by versions of the same number or a lower
# one. Who adds a kind of entry, or an attribute that others must know, counts on, adds a line here, and writes it only
# while Workers.all_read(that number).
#   1  what is not known is passed by: further attributes stay in their rows, entries of other kinds are skipped
FORMAT = 1

# table → the attributes of its key
KEYS = {"users": ("username",), "messages": ("room", "id"), "chat": ("pk", "sk")}

Row = dict[str, Any]
UNREADABLE = (KeyError, TypeError, ValueError)  # what reading a row raises that is not one of ours
