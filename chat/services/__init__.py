"""What people do in the chat, and its rules. Nothing here imports Flask or an edge."""
