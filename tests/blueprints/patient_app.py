"""The chat, which waits for a storage that hangs as good as for ever: `tests.blueprints.patient_app:app`."""

from wsgi import app  # isort: skip  # patches first

PATIENCE_S = 60.0

services = app.extensions["parley"]
services.storage.client._client._read_s = PATIENCE_S
services.redis.connection_pool.connection_kwargs["socket_timeout"] = PATIENCE_S
