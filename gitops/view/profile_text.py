"""The least that a host has to grant to orch, as text to review and run there. Runs nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitops.view.names import few
from gitops.view.safe import clean

_NAMED = 4
_SHARED = "/var/lib/orch"
# Who to make where nobody but root is named.
USER = "orch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What hosts have in common: who logs in, who that becomes, and where files are kept."""

    hosts: tuple[str, ...] = ()
    user: str = ""
    become_user: str = ""
    data_dir: str = ""
    docker: bool = False

    @property
    def owner(self) -> str:
        """Whose the data directory is."""
        return self.become_user or self.login

    @property
    def login(self) -> str:
        """The user to make; never root."""
        return USER if self.user in ("", "root") else self.user

    @property
    def folder(self) -> str:
        """The data directory."""
        return self.data_dir or _SHARED


def text(profiles: Iterable[Profile]) -> str:
    """Return the profiles one after the other, as shell text with comments."""
    return "\n".join(_text(p) for p in profiles)


def _text(profile: Profile) -> str:
    parts = [_head(profile), _user(profile), _folder(profile), _variables(profile)]
    parts += [_sudo(profile)] if profile.become_user else [_linger(profile)]
    parts += [_docker(profile)] if profile.docker else []
    return "\n\n".join("\n".join(lines) for lines in (*parts, _sshd(profile))) + "\n"


def _head(profile: Profile) -> list[str]:
    names = few([clean(h) for h in profile.hosts], _NAMED)
    lines = [
        f"# What orch needs on {names}, and no more.",
        "# Review it, put the public key in, then run it there as root.",
    ]
    if profile.user in ("", "root"):
        lines += [
            "# The inventory has root log in, who may do everything. This is for a user of its",
            "# own instead; tasks then run as that user, without systemd and control groups.",
        ]
    return lines


def _user(profile: Profile) -> list[str]:
    user = shlex.quote(profile.login)
    return [
        "# Who logs in: by key alone. Of sshd it gets commands, a terminal ('orch exec'), and",
        "# connections to ports (health checks) and to dockerd's socket.",
        f"id {user} >/dev/null 2>&1 || useradd --create-home --shell /bin/sh --password '*' {user}",
        f"home=$(getent passwd {user} | cut -d: -f6)",
        f'install -d -m 0700 -o {user} -g "$(id -gn {user})" "$home/.ssh"',
        "cat >>\"$home/.ssh/authorized_keys\" <<'END'",
        "restrict,pty,port-forwarding PUBLIC-KEY",
        "END",
        f'chown {user}: "$home/.ssh/authorized_keys" && chmod 0600 "$home/.ssh/authorized_keys"',
    ]


def _folder(profile: Profile) -> list[str]:
    owner = shlex.quote(profile.owner)
    return [
        "# Where it keeps records and allocations: nobody else writes there.",
        f'install -d -m 0711 -o {owner} -g "$(id -gn {owner})" {shlex.quote(profile.folder)}',
    ]


def _variables(profile: Profile) -> list[str]:
    lines = ["# In the inventory:", f"#   ansible_user: {clean(profile.login)}"]
    if profile.owner != "root" or profile.folder != _SHARED:
        lines.append(f"#   orch_data_dir: {clean(profile.folder)}")
    if profile.become_user:
        lines += ["#   ansible_become: true", f"#   ansible_become_user: {profile.become_user}"]
    return lines


def _linger(profile: Profile) -> list[str]:
    return [
        "# Tasks outlive the login that started them.",
        f"[ ! -d /run/systemd/system ] || loginctl enable-linger {shlex.quote(profile.login)}",
    ]


def _sudo(profile: Profile) -> list[str]:
    return [
        f"# The scripts of orch run as {profile.become_user}, through sh: that is as good as all.",
        "cat >/etc/sudoers.d/orch <<'END'",
        f"{profile.login} ALL=({profile.become_user}) NOPASSWD: ALL",
        "END",
        "chmod 0440 /etc/sudoers.d/orch && visudo -cf /etc/sudoers.d/orch",
    ]


def _docker(profile: Profile) -> list[str]:
    users = [profile.login, *([profile.become_user] if profile.become_user != "root" else [])]
    return [
        "# Containers: whoever may use dockerd can be root on the host.",
        *(f"usermod --append --groups docker {shlex.quote(u)}" for u in users if u),
    ]


def _sshd(profile: Profile) -> list[str]:
    return [
        "# Last in /etc/ssh/sshd_config; then: sshd -t, and reload sshd.",
        f"#   Match User {clean(profile.login)}",
        "#       AllowTcpForwarding local",
        "#       AllowStreamLocalForwarding local",
        "#       MaxSessions 10",
        "#       PasswordAuthentication no",
        "#       PermitTunnel no",
        "#       X11Forwarding no",
        "#       AllowAgentForwarding no",
    ]


def profiles(hosts: Sequence[tuple[str, Profile]]) -> list[Profile]:
    """Join hosts that need the same; each comes with its own profile, without hosts."""
    found: dict[Profile, list[str]] = {}
    for name, profile in hosts:
        found.setdefault(profile, []).append(name)
    return [
        Profile(
            hosts=tuple(names),
            user=p.user,
            become_user=p.become_user,
            data_dir=p.data_dir,
            docker=p.docker,
        )
        for p, names in found.items()
    ]
