"""Where other implementations differ from AWS: (who, which test or test[case]) → how.

Each is a strict expected failure for that target alone: one that is mended must leave this table.
"""

KNOWN: dict[tuple[str, str], str] = {}
