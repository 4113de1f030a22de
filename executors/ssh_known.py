"""Which keys each login trusts: known_hosts files, each read once, or the inventory's own."""

from __future__ import annotations

from contextlib import suppress

from executors.home import NoHomeError, at_home
from executors.known_hosts import KnownHosts, KnownKey, inventory_keys
from executors.ssh_hop import Hop


class KnownFiles:
    """The known_hosts files of a run."""

    def __init__(self) -> None:
        self._files: dict[str, KnownHosts] = {}

    def keys(self, hop: Hop) -> tuple[KnownKey, ...]:
        """Return the keys known for a hop."""
        known = hop.known
        if known.keys:
            return inventory_keys(known.keys, hop.name)
        files = dict.fromkeys(known.files)
        return tuple(k for path in files for k in self._file(path).named(hop.known_name))

    def _file(self, path: str) -> KnownHosts:
        if path not in self._files:
            self._files[path] = known = KnownHosts()
            # a file that is not there trusts nobody
            with suppress(OSError, NoHomeError):
                known.add(at_home(path).read_text(errors="replace"), path)
        return self._files[path]
