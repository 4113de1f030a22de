"""How git reaches a bare repository on an inventory host: the way orch itself goes there.

Strict host keys, no question to anybody; ssh's own configuration was read before. Starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import join, quote
from urllib.parse import quote as percent

from executors.home import at_home
from executors.ssh_hop import Chain, Hop
from gitops.ledger.bare import BARE_FILES, HOOK
from gitops.ledger.errors import LedgerError

_FORM = re.compile(r"host:(?P<host>[^:/\s]+):(?P<path>/[^\x00-\x1f\x7f]*)")
_ALIVE = 5
_MISSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SshPlace:
    """A bare repository at `path` on the host at the end of `hops`.

    It is written by `become_user`, or by who logs in where that is empty.
    """

    hops: Chain
    path: str
    become_user: str = ""

    @property
    def target(self) -> Hop:
        """The login on the host itself."""
        return self.hops[-1]

    @property
    def url(self) -> str:
        """The address as git takes it."""
        target = self.target
        address = f"[{target.address}]" if ":" in target.address else target.address
        login = f"{percent(target.user, safe='')}@"
        return f"ssh://{login}{address}:{target.port}{percent(self.path)}"

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Return git's environment; `folder` is where `write_keys` has put the host keys."""
        return {"GIT_SSH_COMMAND": join(_ssh(self.hops, folder)), "GIT_SSH_VARIANT": "ssh"}

    @property
    def settings(self) -> Mapping[str, str]:
        """Git's settings of the remote ``ledger``: who runs the other end."""
        if not self.become_user:
            return {}
        sudo = f"sudo -n -u {quote(self.become_user)} "
        return {
            "remote.ledger.uploadpack": f"{sudo}git-upload-pack",
            "remote.ledger.receivepack": f"{sudo}git-receive-pack",
        }

    def key_files(self) -> Mapping[str, str]:
        """Return the known_hosts files to write: name to content."""
        hops = [hop for hop in self.hops if hop.known.keys]
        return {_file(h): "".join(f"{_alias(h)} {k}\n" for k in h.known.keys) for h in hops}

    def creation(self, folder: Path) -> tuple[list[str], bytes]:
        """Return a command, and its input, that makes the repository unless it is there."""
        return self._script(folder), _CREATE.encode()

    def sweeping(self, folder: Path) -> tuple[list[str], bytes]:
        """Return a command, and its input, that removes locks which a dead git has left."""
        return self._script(folder), _SWEEP.encode()

    def _script(self, folder: Path) -> list[str]:
        sudo = f"sudo -n -u {quote(self.become_user)} " if self.become_user else ""
        # One word, since ssh joins words with blanks for the other side's shell.
        there = f"{sudo}sh -s -- {quote(self.path)}"
        return [*_ssh(self.hops, folder), *_login(self.target), there]


def _ssh(hops: Chain, folder: Path) -> list[str]:
    """Return the words that start ssh for the last of the hops, without its name."""
    words = ["ssh", *_options(hops[-1], folder)]
    if jumps := hops[:-1]:
        through = [*_ssh(jumps, folder), "-W", "[HOST]:PORT", *_login(jumps[-1])]
        command = join(through).replace("%", "%%").replace("'[HOST]:PORT'", "'[%h]:%p'")
        words += ["-o", f"ProxyCommand={command}"]
    return words


def _login(hop: Hop) -> list[str]:
    return ["-l", hop.user, "-p", str(hop.port), "--", hop.address]


def host_place(url: str) -> tuple[str, str]:
    """Return (host, path) of ``host:NAME:/path``. Raises `LedgerError` for another form."""
    found = _FORM.fullmatch(url)
    if found is None:
        raise LedgerError(
            f"{url!r} does not name a repository on a host",
            'write it as [ledger] url = "host:NAME:/path/of/ledger.git" in orch.toml',
        )
    return found["host"], found["path"]


def _options(hop: Hop, folder: Path) -> list[str]:
    known = [str(folder / _file(hop))] if hop.known.keys else hop.known.files
    keys = hop.identities
    patience = max(1, round(hop.connect_timeout))
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "GlobalKnownHostsFile": "/dev/null",
        "UserKnownHostsFile": " ".join(map(_config_word, known)) or "/dev/null",
        "HostKeyAlias": _alias(hop) if hop.known.keys else hop.known.alias,
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "ClearAllForwardings": "yes",
        "ControlPath": "none",
        "ConnectTimeout": str(patience),
        "ServerAliveInterval": str(max(1, min(_ALIVE, round(patience / 2)))),
        "ServerAliveCountMax": str(_MISSES),
        "AddressFamily": hop.address_family,
        "BindAddress": hop.bind_address,
        "IdentitiesOnly": "yes" if keys.only else "no",
        "IdentityAgent": _config_word(keys.agent) if keys.agent else "none",
    }
    several = {"IdentityFile": keys.files, "CertificateFile": keys.certificates}
    lines = [f"{name}={value}" for name, value in options.items() if value]
    lines += [f"{n}={_config_word(p)}" for n, paths in several.items() for p in paths]
    return ["-F", "/dev/null", *(word for line in lines for word in ("-o", line))]


def _config_word(path: str) -> str:
    """Write a path as ssh's configuration takes it, which expands % and splits at blanks."""
    path = str(at_home(path))
    return f'"{path.replace("%", "%%")}"'


def _alias(hop: Hop) -> str:
    return f"orch-{re.sub(r'[^A-Za-z0-9.-]', '-', hop.name)}"


def _file(hop: Hop) -> str:
    return f"{_alias(hop)}.known_hosts"


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
