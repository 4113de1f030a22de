"""How a workspace reaches its hosts: orch.toml's words, and the ssh configuration that counts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from executors.home import at_home
from executors.ssh import SshConnector
from executors.ssh_config.expand import here
from executors.ssh_config.reader import USUAL, ConfigFile, read
from executors.ssh_config.resolve import SshConfig
from executors.ssh_routes import Routes
from executors.ssh_settings import SshSettings
from gitops.workspace import Workspace
from inventory.model import Inventory, SshTarget

_NONE = "none"


def connector_of(workspace: Workspace, inventory: Inventory) -> SshConnector:
    """Return the connections to the hosts of an inventory, none of them open yet.

    Raises `SshConfigError` where ssh's configuration can't be read.
    """
    targets = _targets(workspace, inventory)
    return SshConnector(targets, ssh_settings(workspace), ssh_config(workspace))


def routes_of(workspace: Workspace, inventory: Inventory) -> Routes:
    """Return a `Router` of the hosts of an inventory: how each is reached, and by what.

    Raises `SshConfigError` where ssh's configuration can't be read.
    """
    targets = _targets(workspace, inventory)
    return Routes(targets, ssh_settings(workspace), ssh_config(workspace))


def _targets(workspace: Workspace, inventory: Inventory) -> Mapping[str, SshTarget]:
    """Return the hosts that may be reached; jump hosts may be outside of what a limit chooses."""
    targets = inventory.targets
    if workspace.config.ssh.jump or any(t.ssh_args for t in targets.values()):
        return {**workspace.inventory().targets, **targets}
    return targets


def ssh_settings(workspace: Workspace) -> SshSettings:
    """Return what orch.toml says."""
    ssh = workspace.config.ssh
    known = workspace.root / at_home(ssh.known_hosts)
    return SshSettings(
        user=ssh.user,
        known_hosts=(str(known),) if ssh.known_hosts else None,
        jump=ssh.jump,
        concurrency=ssh.concurrency,
        jump_concurrency=ssh.jump_concurrency,
        connect_timeout=ssh.connect_timeout or None,
        agent=workspace.environment.get("SSH_AUTH_SOCK", ""),
    )


def ssh_config(workspace: Workspace) -> SshConfig:
    """Read ssh's configuration: the files that are named, else those that ssh reads."""
    return SshConfig(read(config_files(workspace)), here(workspace.environment))


def config_files(workspace: Workspace) -> tuple[ConfigFile, ...]:
    """Return the files that count: ``ORCH_SSH_CONFIG``, orch.toml's, else the user's and all's."""
    if named := workspace.environment.get("ORCH_SSH_CONFIG", ""):
        path = os.path.expanduser(named)  # noqa: PTH111 - as it is shown
        return () if named == _NONE else (ConfigFile(path=str(workspace.cwd / path)),)
    if named := workspace.config.ssh.config:
        path = str(workspace.root / at_home(named))
        return () if named == _NONE else (ConfigFile(path=path),)
    return USUAL
