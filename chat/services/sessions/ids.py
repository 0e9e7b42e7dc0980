"""What a session's id looks like: known also where nothing knows Redis."""

from __future__ import annotations

import re

ID_BYTES = 32
ID = re.compile(r"[A-Za-z0-9_-]{43}")
