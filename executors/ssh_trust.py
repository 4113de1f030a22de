"""Strict host keys: an unknown key and a changed one are told apart, and neither is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import asyncssh
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from executors.known_hosts import KnownKey, Trust, fingerprint, trust_command
from executors.printable import printable
from executors.ssh_hop import Hop
from executors.transport import HostError, HostFault


@dataclass(slots=True)
class HostTrust:
    """The keys known for one host, and the key it showed if that was not one of them."""

    hop: Hop
    known: Sequence[KnownKey]
    shown: str = ""
    _keys: dict[Trust, list[asyncssh.SSHKey]] = field(init=False)

    def __post_init__(self) -> None:
        self._keys = {trust: [] for trust in Trust}
        for key in self.known:
            try:
                self._keys[key.trust].append(asyncssh.import_public_key(key.line))
            except (asyncssh.KeyImportError, ValueError):
                continue  # a kind of key this client does not speak

    @property
    def lists(self) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """Trusted, trusted to sign, and revoked keys."""
        return self._keys[Trust.HOST], self._keys[Trust.CA], self._keys[Trust.REVOKED]

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Host key algorithms, those of known keys first: so that the host shows a known key."""
        names = get_default_certificate_algs() if self._keys[Trust.CA] else []
        for key in self._keys[Trust.HOST]:
            names = [*names, *key.sig_algorithms]
        return _preferred(tuple(names))

    def refuse(self, key: asyncssh.SSHKey) -> bool:
        """Remember a key that is not trusted; always false."""
        exported = key.export_public_key("openssh").decode().split()
        self.shown = " ".join(exported[:2])
        return False

    def error(self, said: str = "") -> HostError:
        """Return the error for the key that was shown; `said` is the library's word on it."""
        if not self.shown:
            return self._refused(said)
        known = [k for k in self.known if k.trust is Trust.HOST]
        return self._changed(known) if known else self._unknown()

    def _refused(self, said: str) -> HostError:
        name = self.hop.known_name
        if "revoked" in said:
            revoked = [k.source for k in self.known if k.trust is Trust.REVOKED]
            detail = f"{name} shows a key that is revoked in {', '.join(revoked[:3])}"
            return HostError(self.hop.name, HostFault.HOST_KEY_CHANGED, detail)
        fault = HostFault.HOST_KEY_CHANGED if self._keys[Trust.CA] else HostFault.HOST_KEY_UNKNOWN
        reason = printable(said).partition(" for host ")[0].lower() or "it is not trusted"
        detail = f"{name} shows a certificate, and that is refused: {reason}"
        return HostError(self.hop.name, fault, detail, _CERTIFICATE_HINT)

    def _unknown(self) -> HostError:
        hop, name = self.hop, self.hop.known_name
        kind = self.shown.split()[0]
        detail = f"{name} shows {kind} {fingerprint(self.shown)}"
        hint = (
            "Compare it, on the host's console, with:\n"
            f"  ssh-keygen -lf /etc/ssh/ssh_host_{_file_word(kind)}_key.pub\n"
            "If it is the same, trust it:\n"
            f"  {trust_command(hop.name)}\n"
            f"or for {hop.name} in the inventory:\n"
            f"  orch_host_key: {self.shown}\n"
            f"or in {_first(hop.known.files)}, by this line:\n"
            f"  {name} {self.shown}"
        )
        if hop.known.strict in _LAX:
            hint += (
                f"\nStrictHostKeyChecking {hop.known.strict} is not followed: orch believes no key "
                "that nobody vouched for."
            )
        return HostError(hop.name, HostFault.HOST_KEY_UNKNOWN, detail, hint)

    def _replacing(self) -> str:
        if self.hop.known.keys:
            return ""  # the inventory's own
        return f"\nby\n  {trust_command(self.hop.name)} -replace"

    def _changed(self, known: Sequence[KnownKey]) -> HostError:
        same_kind = [k for k in known if k.line.split()[0] == self.shown.split()[0]]
        old = (same_kind or list(known))[0]
        detail = (
            f"{self.hop.known_name} shows {self.shown.split()[0]} {fingerprint(self.shown)}, "
            f"but {old.source} has {old.line.split()[0]} {fingerprint(old.line)}"
        )
        hint = (
            "Either the host was set up anew, or somebody stands between you and it. Ask who runs "
            "it, or read its key on its console; only if the new fingerprint is confirmed, put the "
            f"new key in the place of the old one ({old.source}):\n  {self.shown}"
            f"{self._replacing()}"
        )
        return HostError(self.hop.name, HostFault.HOST_KEY_CHANGED, detail, hint)


_LAX = frozenset({"no", "off", "accept-new"})
_CERTIFICATE_HINT = (
    "Its authority must stand behind @cert-authority in known_hosts, and the certificate must be "
    "valid and name the host as it is reached here (or as HostKeyAlias says)."
)


def _first(files: Sequence[str]) -> str:
    return files[0] if files else "~/.ssh/known_hosts"


class TrustingClient(asyncssh.SSHClient):
    """Tells a `HostTrust` which key was shown, and whether the host answered at all."""

    def __init__(self, trust: HostTrust) -> None:
        self._trust = trust
        self.answered = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Note that the TCP connection stands."""
        self.answered = True

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Refuse every key that is not known."""
        return self._trust.refuse(key)


@lru_cache(maxsize=64)
def _preferred(first: tuple[bytes, ...]) -> tuple[str, ...]:
    """All algorithms in the order of preference, once for all hosts with such keys."""
    return tuple(n.decode() for n in dict.fromkeys([*first, *get_default_public_key_algs()]))


def _file_word(kind: str) -> str:
    return next(
        (w for w in ("ed25519", "ecdsa", "rsa") if w in kind.replace("sha2", "")), "ed25519"
    )
