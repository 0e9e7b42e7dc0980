"""Mirrors chat/. What a person's `.env` in this checkout says is no business of the tests."""

import os

os.environ["FLASK_SKIP_DOTENV"] = "1"
