"""How git reaches a bare repository on an inventory host: by what the inventory says alone.

Strict host keys, no question to anybody, no file of the user's ssh configuration. Starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join, quote
from urllib.parse import quote as percent

from gitops.ledger.bare import BARE_FILES, HOOK
from gitops.ledger.errors import LedgerError
from inventory.model import SshTarget

_FORM = re.compile(r"host:(?P<host>[^:/\s]+):(?P<path>/[^\x00-\x1f\x7f]*)")
_ALIVE = 5
_MISSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SshPlace:
    """A bare repository at `path` on a host. `user` is for targets that name none."""

    target: SshTarget
    path: str
    jump: SshTarget | None = None
    user: str = ""
    known_hosts: Sequence[str] = ()
    connect_timeout: float = 10.0

    @property
    def url(self) -> str:
        """The address as git takes it."""
        target = self.target
        address = f"[{target.address}]" if ":" in target.address else target.address
        user = target.user or self.user
        login = f"{percent(user, safe='')}@" if user else ""
        return f"ssh://{login}{address}:{target.port}{percent(self.path)}"

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Return git's environment; `folder` is where `write_keys` has put the host keys."""
        return {"GIT_SSH_COMMAND": join(self._ssh(folder)), "GIT_SSH_VARIANT": "ssh"}

    @property
    def settings(self) -> Mapping[str, str]:
        """Git's settings of the remote ``ledger``: who runs the other end."""
        if not self.target.become:
            return {}
        sudo = f"sudo -n -u {quote(self.target.become_user)} "
        return {
            "remote.ledger.uploadpack": f"{sudo}git-upload-pack",
            "remote.ledger.receivepack": f"{sudo}git-receive-pack",
        }

    def key_files(self) -> Mapping[str, str]:
        """Return the known_hosts files to write: name to content."""
        targets = [t for t in (self.target, self.jump) if t is not None and t.host_keys]
        return {_file(t): "".join(f"{_alias(t)} {k}\n" for k in t.host_keys) for t in targets}

    def creation(self, folder: Path) -> tuple[list[str], bytes]:
        """Return a command, and its input, that makes the repository unless it is there."""
        return self._script(folder), _CREATE.encode()

    def sweeping(self, folder: Path) -> tuple[list[str], bytes]:
        """Return a command, and its input, that removes locks which a dead git has left."""
        return self._script(folder), _SWEEP.encode()

    def _script(self, folder: Path) -> list[str]:
        target = self.target
        user = target.user or self.user
        login = [*(["-l", user] if user else []), "-p", str(target.port)]
        sudo = f"sudo -n -u {quote(target.become_user)} " if target.become else ""
        # One word, since ssh joins words with blanks for the other side's shell.
        there = f"{sudo}sh -s -- {quote(self.path)}"
        return [*self._ssh(folder), *login, "--", target.address, there]

    def _ssh(self, folder: Path) -> list[str]:
        options = _options(self.target, folder, self)
        if self.jump is not None:
            user = self.jump.user or self.user
            through = ["ssh", *_options(self.jump, folder, self)]
            through += [*(["-l", user] if user else []), "-p", str(self.jump.port)]
            command = join([*through, "-W", "[HOST]:PORT", "--", self.jump.address])
            command = command.replace("%", "%%").replace("'[HOST]:PORT'", "'[%h]:%p'")
            options += ["-o", f"ProxyCommand={command}"]
        return ["ssh", *options]


def host_place(url: str) -> tuple[str, str]:
    """Return (host, path) of ``host:NAME:/path``. Raises `LedgerError` for another form."""
    found = _FORM.fullmatch(url)
    if found is None:
        raise LedgerError(
            f"{url!r} does not name a repository on a host",
            'write it as [ledger] url = "host:NAME:/path/of/ledger.git" in orch.toml',
        )
    return found["host"], found["path"]


def _options(target: SshTarget, folder: Path, place: SshPlace) -> list[str]:
    known = [str(folder / _file(target))] if target.host_keys else list(place.known_hosts)
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "GlobalKnownHostsFile": "/dev/null",
        "UserKnownHostsFile": " ".join(_config_word(k) for k in known) or "/dev/null",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "ClearAllForwardings": "yes",
        "ControlPath": "none",
        "ConnectTimeout": str(max(1, round(place.connect_timeout))),
        "ServerAliveInterval": str(max(1, min(_ALIVE, round(place.connect_timeout / 2)))),
        "ServerAliveCountMax": str(_MISSES),
    }
    if target.host_keys:
        options["HostKeyAlias"] = _alias(target)
    if target.key_path:
        options["IdentityFile"] = _config_word(str(Path(target.key_path).expanduser()))
        options["IdentitiesOnly"] = "yes"
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["-F", "/dev/null", *words]


def _config_word(path: str) -> str:
    """Write a path as ssh's configuration takes it, which expands % and splits at blanks."""
    return f'"{path.replace("%", "%%")}"'


def _alias(target: SshTarget) -> str:
    return f"orch-{re.sub(r'[^A-Za-z0-9.-]', '-', target.host)}"


def _file(target: SshTarget) -> str:
    return f"{_alias(target)}.known_hosts"


_CREATE = f"""\
set -eu
umask 077
path=$1
[ ! -e "$path/HEAD" ] || exit 0
command -v git >/dev/null || {{ echo "git is not installed there" >&2; exit 1; }}
mkdir -p "$(dirname "$path")"
new="$path.$$.new"
trap 'rm -rf "$new"' EXIT
git init --quiet --bare --template= "$new"
cat >>"$new/config" <<'EOF'
{BARE_FILES["config"]}
EOF
mkdir -p "$new/hooks"
cat >"$new/{HOOK}" <<'EOF'
{BARE_FILES[HOOK]}
EOF
chmod 755 "$new/{HOOK}"
mv -T "$new" "$path" 2>/dev/null || [ -e "$path/HEAD" ]
"""

# A lock is held for an instant, or as long as a hook runs: minutes are out of question.
_SWEEP = """\
find "$1" -name '*.lock' -type f -mmin +2 -exec rm -f {} +
"""
