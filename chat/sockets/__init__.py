"""The sockets of a worker: what a client may ask and is told (`protocol`), and how it comes and goes (`dispatch`)."""
