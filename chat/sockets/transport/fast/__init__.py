"""The transport without a greenlet for each socket (docs/decisions/0014-fast-transport.md).

| module | noun |
|---|---|
| connection, backlog | one client: read and written in the hub · what it has not taken yet |
| flush, timer_wheel | what leaves in one turn of the event loop · everything that is due later |
| engine, manager | all clients of a worker · the rooms they are in |
"""
