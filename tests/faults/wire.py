"""What befalls the packets between hosts: rules in the router, each with the function that heals it.

netem is not to be had in every kernel (not in CI's), so delay and reordering are not here: the proxy delays, and a
lossy link reorders by what TCP sends again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count

from tests.faults.hosts import Host, Network

Heal = Callable[[], object]
QUEUE_PACKETS = 30  # of a slow link; a longer one would only add minutes of delay


class Wire:
    """The links of a network. The first argument of each fault is one side's addresses, the second the other's."""

    def __init__(self, network: Network):
        self._network = network
        self._router = network.router
        self._numbers = count(1)

    def cut(self, some: Sequence[str], others: Sequence[str]) -> Heal:
        """Nothing passes, either way, and nobody is told."""
        return self._forbid(f"{way} drop" for way in _ways(some, others))

    def lose(self, some: Sequence[str], others: Sequence[str], percent: int) -> Heal:
        """Each packet, either way, is lost with this chance."""
        return self._forbid(f"{way} numgen random mod 100 < {percent} drop" for way in _ways(some, others))

    def reset(self, some: Sequence[str], others: Sequence[str], per_mille: int) -> Heal:
        """Each TCP packet, either way, breaks its connection with this chance; only its sender is told."""
        chance = f"meta l4proto tcp numgen random mod 1000 < {per_mille} reject with tcp reset"
        return self._forbid(f"{way} {chance}" for way in _ways(some, others))

    def half_open(self, some: Sequence[str], others: Sequence[str]) -> Heal:
        """What stands between them goes dead without a word to either end; what `some` newly open works."""
        there, back = _ways(some, others)
        return self._forbid(
            [
                f"{there} tcp flags & (syn | ack) == syn add @fresh {{ ip saddr . tcp sport }}",
                f"{there} ip saddr . tcp sport @fresh accept",
                f"{back} ip daddr . tcp dport @fresh accept",
                f"{there} drop",
                f"{back} drop",
            ],
            "set fresh { type ipv4_addr . inet_service; flags dynamic; size 65535; }",
        )

    def slow(self, host: Host, some: Sequence[str], kbit: int) -> Heal:
        """Each of `some`, addresses of `host`, gets a link of its own of this rate, down and up."""
        for other in self._network:
            dev, field = f"dev {other.name} parent", "dst" if other is host else "src"
            lines = [f"qdisc add dev {other.name} root handle 1: htb default ffff"]
            lines += [f"class add {dev} 1: classid 1:ffff htb rate 10gbit quantum 60000"]
            for k, address in enumerate(some, 1):
                lines += [
                    f"class add {dev} 1: classid 1:{k:x} htb rate {kbit}kbit burst 3k quantum 1600",
                    f"qdisc add {dev} 1:{k:x} pfifo limit {QUEUE_PACKETS}",
                    f"filter add {dev} 1: protocol ip u32 match ip {field} {address}/32 flowid 1:{k:x}",
                ]
            self._router.run("tc", "-batch", "-", input="\n".join(lines))

        def heal() -> None:
            for other in self._network:
                self._router.run("tc", "qdisc", "del", "dev", other.name, "root")

        return heal

    def _forbid(self, rules: Iterable[str], further: str = "") -> Heal:
        name = f"fault{next(self._numbers)}"
        chain = "\n".join(["type filter hook forward priority 0;", *rules])
        self._router.run("nft", "-f", "-", input=f"table ip {name} {{ {further}\nchain passing {{ {chain}\n}}\n}}\n")
        return lambda: _heal(self._router, name)


def _heal(router: Host, table: str) -> None:
    router.run("nft", "delete", "table", "ip", table)


def _ways(some: Sequence[str], others: Sequence[str]) -> tuple[str, str]:
    here, there = (f"{{ {', '.join(side)} }}" for side in (some, others))
    return f"ip saddr {here} ip daddr {there}", f"ip saddr {there} ip daddr {here}"
