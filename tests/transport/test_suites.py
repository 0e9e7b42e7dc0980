"""What the public suites ask starts, so that they can be run at any time: docs/transport-tests.md."""

import pytest

from tests.ports import free_port
from tests.transport.served import serve


@pytest.mark.parametrize("fanout", ["fast", "stock"])
@pytest.mark.parametrize("app", ["protocol_app", "echo_app"])
def test_what_the_public_suites_ask_starts(app, fanout, tmp_path):
    server = serve(f"tests.transport.suites.{app}:app", free_port(), tmp_path / "log", fanout)
    server.end()
