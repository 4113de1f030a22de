"""What ssh_config says of one host, with everything expanded: what ``ssh -G`` would print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from executors.ssh_config import values
from executors.ssh_config.evaluation import Evaluation
from executors.ssh_config.expand import Local, Remote, expanded, tokens, variables
from executors.ssh_config.index import Index
from executors.ssh_config.sections import Section, Setting
from executors.ssh_config.values import Jump

T = TypeVar("T")

DEFAULT_PORT = 22
# Times of a Match line that no sane person would write.
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is said of one host; empty, None or 0 where nothing is, as `user` for the local one.

    Times are in seconds. `identity_agent` is a socket's path, or ``none``. `proxy_command` is the
    setting as it stands, for whoever knows what to do with it.
    """

    hostname: str
    port: int
    user: str
    jumps: tuple[Jump, ...] = ()
    proxy_command: Setting | None = None
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str = ""
    user_known_hosts: tuple[str, ...] | None = None
    global_known_hosts: tuple[str, ...] | None = None
    host_key_alias: str = ""
    strict: str = ""
    hash_known_hosts: bool = False
    connect_timeout: int = 0
    alive_interval: int = 0
    alive_count: int = 0
    address_family: str = "any"
    bind_address: str = ""
    notes: tuple[str, ...] = ()


class SshConfig:
    """All files of a configuration, read; each host costs only the sections that may mean it."""

    def __init__(self, sections: tuple[Section, ...], local: Local) -> None:
        self._index = Index(sections)
        self.local = local

    def resolve(
        self, host: str, given: Sequence[Setting] = (), after: Sequence[Setting] = ()
    ) -> Resolved:
        """Return what counts for `host`, named as ssh would be told.

        What is `given` comes first, `after` counts where nothing else is said. Raises
        `SshConfigError` for a value that is none.
        """
        found = Evaluation(host, self.local)
        found.take(given)
        found.run(self._index)
        found.take(after)
        return _Values(found, self.local).resolved()


class _Values:
    """Turns the settings of one host into values."""

    def __init__(self, found: Evaluation, local: Local) -> None:
        self._found = found
        self._first = found.first
        self._local = local
        self._hostname = found.hostname
        self._port = self._of("port", values.port, DEFAULT_PORT)
        self._user = self._of("user", _text, local.user)
        self._tokens: dict[str, str] | None = None

    def resolved(self) -> Resolved:
        proxy = self._first.get("proxyjump")
        return Resolved(
            hostname=self._hostname,
            port=self._port,
            user=self._user,
            jumps=self._jumps(proxy) if proxy and proxy.name == "proxyjump" else (),
            proxy_command=proxy if proxy and _is_command(proxy) else None,
            identity_files=self._paths("identityfile"),
            certificate_files=self._paths("certificatefile"),
            identities_only=self._of("identitiesonly", values.truth, default=False),
            identity_agent=self._of("identityagent", self._agent, ""),
            user_known_hosts=self._of("userknownhostsfile", self._files, None),
            global_known_hosts=self._of("globalknownhostsfile", self._files, None),
            host_key_alias=self._of("hostkeyalias", _text, ""),
            hash_known_hosts=self._of("hashknownhosts", values.truth, default=False),
            strict=self._of("stricthostkeychecking", _text, "").lower(),
            connect_timeout=self._of("connecttimeout", values.seconds, 0),
            alive_interval=self._of("serveraliveinterval", values.seconds, 0),
            alive_count=self._of("serveralivecountmax", _count, 0),
            address_family=self._of("addressfamily", _text, "any").lower(),
            bind_address=self._of("bindaddress", _text, ""),
            notes=tuple(self._found.notes),
        )

    def _of(self, name: str, value: Callable[[Setting], T], default: T) -> T:
        setting = self._first.get(name)
        return default if setting is None else value(setting)

    def _known(self) -> dict[str, str]:
        if self._tokens is None:
            remote = Remote(
                given=self._found.host,
                hostname=self._hostname,
                port=self._port,
                user=self._user,
                alias=self._of("hostkeyalias", _text, ""),
            )
            self._tokens = tokens(self._local, remote)
        return self._tokens

    def _jumps(self, setting: Setting) -> tuple[Jump, ...]:
        text = setting.word
        if "%" in text:
            text = expanded(text, self._known(), setting.place)
        return values.jumps(text, setting.place)

    def _path(self, text: str, place: str) -> str:
        if text.startswith("~"):
            text = self._local.expand_home(text)
        text = variables(text, self._local.environment, place)
        return expanded(text, self._known(), place) if "%" in text else text

    def _paths(self, name: str) -> tuple[str, ...]:
        found = self._found.repeated.get(name, ())
        return tuple(self._path(s.word, s.place) for s in found if s.word.lower() != "none")

    def _files(self, setting: Setting) -> tuple[str, ...]:
        if setting.word.lower() == "none":
            return ()
        return tuple(self._path(word, setting.place) for word in setting.words)

    def _agent(self, setting: Setting) -> str:
        word = setting.word
        if word.lower() == "none":
            return "none"
        if word == "SSH_AUTH_SOCK" or (word.startswith("$") and not word.startswith("${")):
            return self._local.environment.get(word.removeprefix("$"), "") or "none"
        return self._path(word, setting.place)


def _is_command(setting: Setting) -> bool:
    return setting.name == "proxycommand" and setting.word.lower() != "none"


def _text(setting: Setting) -> str:
    return setting.word


def _count(setting: Setting) -> int:
    return values.number(setting, 0, _MOST)
