"""What clients send, spoilt from a seed: `python -m tests.transport.fuzz`.

| module | |
|---|---|
| spoilt, streams, requests | valid bytes, and how they are spoilt |
| readers, cases | what must hold of whatever our readers make of them, in this process |
| sockets, answers | the same over sockets, to a tiny app under the shipped worker |
| guided | led by coverage: needs atheris, which no lock file has |

A case is made from its seed and its number alone: `--only N` runs it again.
"""

SEED = 20261128
# Some ten minutes on two cores; tests/transport/test_fuzz.py runs the first hundredth of it.
CASES = 600_000  # frames, packets and handshakes in this process
CONNECTIONS = 20_000  # over sockets, to each transport
REQUESTS = 20_000  # that smuggle, to each transport
