"""DynamoDB on one box: its protocol over one SQLite file (docs/embedded-engine.md)."""
