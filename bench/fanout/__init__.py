"""What a delivery costs, beside what it costs others: `python -m bench.fanout GOAL`.

Each goal is a ratio between Parley and two peers that are measured in the same interleaved rounds: Node's socket.io,
and a C program that does nothing but relay. See `docs/performance.md`.
"""
