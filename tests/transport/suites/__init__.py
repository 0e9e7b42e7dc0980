"""Other people's test-suites, against the shipped transport: docs/transport-tests.md says how they are had.

| module | |
|---|---|
| protocol_app | what the Engine.IO and Socket.IO suites ask their server to do |
| echo_app | the websocket alone, which says what it is told: for the Autobahn suite |
| protocol, autobahn | running them; which of their tests do not apply, and why |
| result | what a test came to |
"""
