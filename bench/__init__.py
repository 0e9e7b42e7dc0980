"""Measurements that anyone can run. What a person's `.env` in this checkout says does not count."""

import os

os.environ["FLASK_SKIP_DOTENV"] = "1"
