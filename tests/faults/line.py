"""One TCP connection between two hosts, with an echo at the far end."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

from tests.faults.hosts import Network

PORT = 7


class Line(ExitStack):
    """`with Line(network) as line:`; `source` picks one of the near host's addresses."""

    def __init__(self, network: Network, source: str = "", near: str = "near", far: str = "far"):
        super().__init__()
        self._near = network[near]
        self._address = (network[far].address, PORT)
        with network[far].inside():
            self._server = self.enter_context(socket.create_server(self._address))
        threading.Thread(target=self._serve, daemon=True).start()
        self.seen_from = ""
        self.client = self.connect(source)

    def connect(self, source: str = "") -> socket.socket:
        """A further connection to the same echo."""
        with self._near.inside():
            client = socket.socket()
        self.enter_context(client)
        client.settimeout(30)
        client.bind((source, 0))
        client.connect(self._address)
        return client

    def _serve(self) -> None:
        while True:
            try:
                peer, (self.seen_from, _) = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    @staticmethod
    def _echo(peer: socket.socket) -> None:
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                return

    def echoes(self, data: bytes, within_s: float = 30.0, client: socket.socket | None = None) -> bool:
        """Whether all of it comes back in time. Raises: OSError when the connection breaks."""
        client = client or self.client
        deadline = time.monotonic() + within_s
        client.settimeout(within_s)
        client.sendall(data)
        missing = len(data)
        while missing and (left := deadline - time.monotonic()) > 0:
            client.settimeout(left)
            try:
                missing -= len(client.recv(65536))
            except TimeoutError:
                return False
        return not missing

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        super().close()
