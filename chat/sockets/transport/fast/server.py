"""Socket.IO over connections that the hub serves."""

from __future__ import annotations

from typing import Any

from chat.sockets.transport.engine import Engine
from chat.sockets.transport.fast.engine import FastEngine
from chat.sockets.transport.fast.manager import Manager
from chat.sockets.transport.server import Server


class FastServer(Server):
    """Server, over FastEngine and its rooms."""

    def __init__(self, **options: Any):
        super().__init__(client_manager=Manager(), **options)
        self.eio.handle_inline = self.handle_inline

    def _engineio_server_class(self) -> type[Engine]:
        return FastEngine
