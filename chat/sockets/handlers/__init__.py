"""What each request of a socket does: call one service method, answer. The table is chat/sockets/protocol.py."""
