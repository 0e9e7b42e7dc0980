"""What crosses an edge: the values of docs/protocol.md, typed.

| module | what |
|---|---|
| values | what people are shown: a message, an entry, a page, a room |
| requests | what is asked by socket · `bodies`: by HTTP |
| events | what the server tells on its own |
| reading | how an object of JSON becomes one of these, or is refused |

`frontend/src/types/protocol.ts` is made from them (frontend/scripts/protocol.py). docs/decisions/0027-typed-edges.md
"""
