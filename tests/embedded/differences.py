"""Where other implementations differ from AWS: (who, which test or test[case]) → how.

Each is a strict expected failure for that target alone: one that is mended must leave this table.
"""

KNOWN: dict[tuple[str, str], str] = {
    ("moto", "test_an_attribute_has_a_name_of_1_to_65535_bytes"): "takes names of any length",
    ("moto", "test_the_name_of_a_key_has_255_letters_at_most"): "takes names of any length",
}
