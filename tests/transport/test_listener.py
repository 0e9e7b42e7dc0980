"""What gunicorn asks of a listener that the worker's end has closed."""

import socket

import pytest

from chat.sockets.transport.worker import Listener


def test_the_name_of_a_closed_listener_is_known():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listener, name = Listener(listening), listening.getsockname()
        assert listener.fileno() == listening.fileno()
    with pytest.raises(OSError, match="descriptor"):
        listening.getsockname()
    assert listener.getsockname() == name
