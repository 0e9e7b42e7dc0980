"""An address that leads elsewhere from one connection to the next, as a DNS name or a balancer does after a failover.

What is open stays open, and leads to where it led.
"""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class Forwarder:
    """`with Forwarder(port) as address:` listens on `address.port`; `address.to` is where new connections go."""

    def __init__(self, to: int):
        self.to = to
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self.opened: list[int] = []  # where each connection went
        self._peers: dict[socket.socket, socket.socket] = {}
        self._over = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._wake.send(b"x")
        self._thread.join(10)
        for each in (self._listener, self._wake, self._woken, *self._peers):
            each.close()

    def open_to(self, port: int) -> int:
        """How many connections lead there now."""
        return sum(peer.getpeername()[1] == port for peer in list(self._peers.values()))

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._listener, self._woken):
                selector.register(each, selectors.EVENT_READ)
            while not self._over.is_set():
                for key, _ in selector.select():
                    self._serve(selector, key.fileobj)  # type: ignore[arg-type]

    def _serve(self, selector: selectors.BaseSelector, ready: socket.socket) -> None:
        if ready is self._listener:
            client, _ = ready.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.to), 5)
            except OSError:
                client.close()
                return
            self.opened.append(self.to)
            self._peers |= {client: server, server: client}
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
        elif ready in self._peers:
            self._pass(selector, ready)

    def _pass(self, selector: selectors.BaseSelector, ready: socket.socket) -> None:
        peer = self._peers[ready]
        try:
            piece = ready.recv(65_536)
            peer.sendall(piece)
        except OSError:
            piece = b""
        if not piece:
            for each in (ready, peer):
                selector.unregister(each)
                del self._peers[each]
                each.close()
