"""The lab's network: a switch in a namespace of its own, a cable to the machine, one to each host.

The switch is not in the machine's namespace, where a firewall may drop what is forwarded.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.lab.programs import run, wait_for

_NAMESPACES = Path("/run/netns")


@dataclass(frozen=True, slots=True)
class Network:
    """10.99.`lab`.0/24: the machine is .1, host number n is .10+n."""

    lab: int

    @property
    def uplink(self) -> str:
        """The machine's end of the cable to the switch."""
        return f"orchlab{self.lab}"

    def namespace(self, name: str) -> str:
        """What the network namespace of a host (or of the `switch`) is called."""
        return f"orchlab{self.lab}-{name}"

    def address(self, number: int) -> str:
        """The IPv4 address of a host."""
        return f"10.99.{self.lab}.{10 + number}"

    def up(self) -> None:
        """Make the switch and connect the machine to it."""
        switch = self.namespace("switch")
        run(["ip", "netns", "add", switch])
        _ip(switch, "link set lo up", "link add br0 type bridge forward_delay 0", "link set br0 up")
        _ip(
            "",
            f"link add {self.uplink} type veth peer name up0 netns {switch}",
            f"addr add 10.99.{self.lab}.1/24 dev {self.uplink}",
            f"link set {self.uplink} up",
        )
        _ip(switch, "link set up0 master br0 up")

    def down(self) -> None:
        """Remove every namespace of the lab, and with them all cables."""
        if _NAMESPACES.is_dir():
            for path in _NAMESPACES.glob(self.namespace("*")):
                _remove(path)
        uplink = Path("/sys/class/net", self.uplink)
        wait_for(lambda: not uplink.exists(), f"the end of {self.uplink}")

    def plug(self, name: str, number: int) -> None:
        """Give a host its namespace, address and cable. It has no route to anywhere else."""
        space, switch, hardware = self.namespace(name), self.namespace("switch"), self._mac(number)
        run(["ip", "netns", "add", space])
        _ip(
            switch,
            f"link add {name} type veth peer name eth0 address {hardware} netns {space}",
            f"link set {name} master br0 up",
        )
        address = self.address(number)
        _ip(space, "link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up")
        # With a fixed neighbour entry a dead host is silent, as behind a router; without one the
        # kernel itself answers after three seconds that there is no route.
        _ip(
            "",
            f"neigh replace {address} lladdr {hardware} nud permanent dev {self.uplink}",
        )

    def unplug(self, name: str) -> None:
        """Take a host's namespace and cable away."""
        _remove(_NAMESPACES / self.namespace(name))
        run(["ip", "-n", self.namespace("switch"), "link", "del", name], check=False)

    def cut(self, name: str) -> None:
        """Lose every frame from and to the host, without a word to either side."""
        _ip(self.namespace("switch"), f"link set {name} nomaster")

    def join(self, name: str) -> None:
        """Undo `cut`."""
        _ip(self.namespace("switch"), f"link set {name} master br0 up")

    def slow_down(self, name: str) -> None:
        """Let 128 kbit/s pass each way, with up to five seconds of it on its way."""
        limit = "root tbf rate 128kbit burst 4kb latency 5s"
        for space, device in self._ends(name):
            run(["tc", "-n", space, "qdisc", "replace", "dev", device, *limit.split()])

    def speed_up(self, name: str) -> None:
        """Undo `slow_down`."""
        for space, device in self._ends(name):
            run(["tc", "-n", space, "qdisc", "del", "dev", device, "root"], check=False)

    def _ends(self, name: str) -> tuple[tuple[str, str], ...]:
        return (self.namespace("switch"), name), (self.namespace(name), "eth0")

    def _mac(self, number: int) -> str:
        return f"02:99:00:{self.lab:02x}:00:{number:02x}"


def _ip(namespace: str, *lines: str) -> None:
    where = ["-n", namespace] if namespace else []
    run(["ip", *where, "-batch", "-"], stdin="\n".join(lines) + "\n")


def _remove(namespace: Path) -> None:
    if namespace.exists():
        run(["ip", "netns", "del", namespace.name], check=False)
    with suppress(FileNotFoundError):  # a killed `ip netns add` leaves a plain file
        namespace.unlink()
