"""What clients send, spoilt from a seed: `python -m tests.transport.fuzz --cases 1000000 --seed 1`.

| module | |
|---|---|
| spoilt, streams, requests | valid bytes, and how they are spoilt |
| readers, cases | what must hold of whatever our readers make of them, in this process |
| sockets, answers | the same over sockets, to a tiny app under the shipped worker |
| guided | led by coverage: needs atheris, which no lock file has |

A case is made from its seed and its number alone: `--only N` runs it again.
"""
