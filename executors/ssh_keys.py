"""What each login offers: keys from files, their certificates, and those of agents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import asyncssh
from asyncssh.public_key import CERT_TYPE_USER

from executors.key_files import KeyFile, certificate_beside, read_certificate, read_key
from executors.ssh_agent import Agent, lent, plain_key
from executors.ssh_hop import Identities
from executors.transport import HostError, HostFault

# As ssh looks for them, those that cost least first.
_DEFAULTS = tuple(
    f"~/.ssh/id_{kind}" for kind in ("ed25519", "ecdsa", "rsa", "ed25519_sk", "ecdsa_sk")
)

# How many files of no use are named.
_TOLD = 3

KeyPairs = list[asyncssh.SSHKeyPair | tuple[asyncssh.SSHKey, asyncssh.SSHCertificate | None]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A key, from a file or an agent, alone or with a certificate."""

    key: asyncssh.SSHKey | asyncssh.SSHKeyPair
    certificate: asyncssh.SSHCertificate | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The keys to offer to a host in their order, and words for them."""

    offers: tuple[Offer, ...]
    description: str

    def pairs(self) -> KeyPairs:
        """Return the offers for one login."""
        out: KeyPairs = []
        for offer in self.offers:
            if isinstance(offer.key, asyncssh.SSHKeyPair):
                out.append(lent(offer.key, offer.certificate))
            else:
                out.append((offer.key, offer.certificate))
        return out

    def expired(self, user: str) -> str:
        """Say what is wrong with a certificate that was offered for a user, if anything is."""
        for certificate in (o.certificate for o in self.offers):
            if isinstance(certificate, asyncssh.public_key.SSHOpenSSHCertificate):
                try:
                    certificate.validate(CERT_TYPE_USER, user)
                except ValueError as e:
                    return str(e).lower()
        return ""


class KeyRing:
    """Loads keys by path, once each; a second host with the same keys costs nothing."""

    def __init__(self) -> None:
        self._agents: dict[str, Agent] = {}
        self._files: dict[str, KeyFile] = {}
        self._loaded: dict[Identities, Identity] = {}

    async def identity(self, host: str, wanted: Identities) -> Identity:
        """Return what to offer.

        Raises a `HostError` (`KEY_FILE`) that names a file that is needed, and what is wrong.
        """
        if wanted not in self._loaded:
            pairs = await self._pairs(wanted.agent)
            paths = wanted.files or _DEFAULTS
            found = _Assembly(wanted, [self._file(p) for p in paths], pairs)
            if wanted.needed and not found.named() and not found.takes_any():
                raise _useless(host, found.files[0], pairs)
            self._loaded[wanted] = found.identity()
        return self._loaded[wanted]

    async def close(self) -> None:
        """Hang up on agents."""
        agents = list(self._agents.values())
        self._agents.clear()
        await asyncio.gather(*(a.close() for a in agents))

    async def _pairs(self, path: str) -> tuple[asyncssh.SSHKeyPair, ...]:
        return await self._agents.setdefault(path, Agent(path)).pairs() if path else ()

    def _file(self, path: str) -> KeyFile:
        if path not in self._files:
            self._files[path] = read_key(path)
        return self._files[path]


@dataclass(slots=True)
class _Assembly:
    """Puts the offers of one login together: named keys first, certificates before keys."""

    wanted: Identities
    files: Sequence[KeyFile]
    pairs: Sequence[asyncssh.SSHKeyPair]

    def identity(self) -> Identity:
        named = self.named()
        rest = self._rest(named)
        words = [*self._words(named), *(["the agent's keys"] if self._asks_for_rest() else [])]
        offers = (*(o for _, offers in named for o in offers), *rest)
        return Identity(offers, ", ".join(words) or f"no key: {self._troubles()}")

    def named(self) -> list[tuple[KeyFile, list[Offer]]]:
        """Return the files that are of use, each with what it gives."""
        found = ((file, list(self._offers(file))) for file in self.files)
        return [(file, offers) for file, offers in found if offers]

    def _offers(self, file: KeyFile) -> Iterator[Offer]:
        lent_keys = [p for p in self.pairs if file.public and plain_key(p) == file.public]
        # one that the agent has with a certificate of its own
        yield from (Offer(p) for p in lent_keys if p.public_data != file.public)
        plain = [p for p in lent_keys if p.public_data == file.public]
        key = file.key or next(iter(plain), None)
        if key is not None:
            yield from (Offer(key, c) for c in self._certificates(file))
            yield Offer(key)

    def _certificates(self, file: KeyFile) -> Iterator[asyncssh.SSHCertificate]:
        paths = dict.fromkeys((*self.wanted.certificates, certificate_beside(file.path)))
        for certificate in map(read_certificate, paths):
            if certificate is not None and certificate.key.public_data == file.public:
                yield certificate

    def takes_any(self) -> bool:
        """Whether any key of the agent will do: the one that is needed is locked, and not there.

        That is what ssh does with a key from an inventory.
        """
        locked = any(f.locked for f in self.files)
        return self.wanted.needed and locked and bool(self.pairs) and not self.named()

    def _asks_for_rest(self) -> bool:
        return bool(self.wanted.agent) and (not self.wanted.only or self.takes_any())

    def _rest(self, named: Sequence[tuple[KeyFile, list[Offer]]]) -> list[Offer]:
        if not self._asks_for_rest():
            return []
        known = {file.public for file, _ in named}
        others = [p for p in self.pairs if plain_key(p) not in known]
        given = [c for c in map(read_certificate, self.wanted.certificates) if c is not None]
        with_certificates = [
            Offer(p, c) for c in given for p in others if p.public_data == c.key.public_data
        ]
        return [*with_certificates, *map(Offer, others)]

    def _troubles(self) -> str:
        """Say why no file is of use; of the usual ones nobody misses any."""
        told = [f.trouble for f in self.files if self.wanted.files or not f.absent]
        return "; ".join(told[:_TOLD]) or "none was found"

    def _words(self, named: Sequence[tuple[KeyFile, list[Offer]]]) -> list[str]:
        return [_words(file, offers, usual=not self.wanted.files) for file, offers in named]


def _words(file: KeyFile, offers: Sequence[Offer], *, usual: bool) -> str:
    word = file.path if usual else f"key {file.path}"
    certified = any(o.certificate for o in offers)
    lent_by_agent = file.key is None
    with_certificate = " with its certificate" if certified else ""
    return f"{word}{with_certificate}{' in the agent' if lent_by_agent else ''}"


def _useless(host: str, file: KeyFile, pairs: Sequence[asyncssh.SSHKeyPair]) -> HostError:
    if file.remedy:
        return HostError(host, HostFault.KEY_FILE, file.trouble, file.remedy)
    where = "the agent does not have it" if pairs else "no agent runs"
    path = file.path.removesuffix(".pub")
    hint = f"Load it into an agent: eval $(ssh-agent) && ssh-add {path}"
    if file.path != path:
        hint = f"Name the private key, or load it into an agent: ssh-add {path}"
    return HostError(host, HostFault.KEY_FILE, f"{file.trouble}, and {where}", hint)
