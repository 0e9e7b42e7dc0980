"""What people say, and reading it again."""
