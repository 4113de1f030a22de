"""One login over SSH: the connection, or an error that says what went wrong and what to do."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

from executors.printable import printable
from executors.ssh_hop import Hop
from executors.ssh_keys import Identity
from executors.ssh_trust import HostTrust, TrustingClient
from executors.transport import HostError, HostFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Everything that one login needs; `tunnel` is the connection to the jump host before it."""

    hop: Hop
    identity: Identity
    trust: HostTrust
    tunnel: asyncssh.SSHClientConnection | None = None


async def open_connection(login: Login) -> asyncssh.SSHClientConnection:
    """Log in once.

    Raises a `HostError` of the hop; `ConnectionError` where the host hung up during the login,
    which is worth another try.
    """
    client = TrustingClient(login.trust)
    try:
        async with asyncio.timeout(login.hop.connect_timeout):
            return await _connect(login, client)
    except asyncssh.HostKeyNotVerifiable as e:
        raise login.trust.error(str(e)) from e
    except asyncssh.ConnectionLost as e:
        raise ConnectionResetError(str(e)) from e
    except TimeoutError as e:
        raise _timed_out(login, client) from e
    except asyncssh.PermissionDenied as e:
        raise _denied(login) from e
    except asyncssh.ChannelOpenError as e:
        if login.tunnel is not None and login.tunnel.is_closed():
            raise ConnectionResetError(str(e)) from e
        raise _not_reached(login, e) from e
    except asyncssh.Error as e:
        raise _failed(login, e) from e


async def _connect(login: Login, client: TrustingClient) -> asyncssh.SSHClientConnection:
    hop = login.hop
    direct: dict[str, Any] = {"family": _FAMILIES.get(hop.address_family, socket.AF_UNSPEC)}
    if hop.bind_address:
        direct["local_addr"] = (hop.bind_address, 0)
    return await asyncssh.connect(
        hop.address,
        hop.port,
        tunnel=login.tunnel or (),
        config=None,
        username=hop.user,
        client_factory=lambda: client,
        # an empty list would make the library look for keys itself
        client_keys=login.identity.pairs() or None,
        agent_path=None,
        known_hosts=login.trust.lists,
        host_key_alias=hop.known.alias or None,
        server_host_key_algs=login.trust.algorithms,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
        # a fifth less work per login, and nearly half per command, than with chacha20
        encryption_algs="^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
        preferred_auth="publickey",
        gss_host=None,
        login_timeout=0,
        keepalive_interval=hop.keepalive,
        keepalive_count_max=hop.keepalive_count,
        encoding=None,
        **direct,
    )


_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


def _timed_out(login: Login, client: TrustingClient) -> HostError:
    hop = login.hop
    if client.answered:
        detail = f"{hop.where} accepts connections, but no login within {hop.connect_timeout:g} s"
    else:
        detail = f"no answer from {hop.where} within {hop.connect_timeout:g} s"
    hint = "Check the address, the firewall between, and whether the host is up."
    return HostError(hop.name, HostFault.TIMEOUT, detail, hint)


def _denied(login: Login) -> HostError:
    user = login.hop.user
    detail = f"user {user!r} with {login.identity.description}"
    if expired := login.identity.expired(user):
        hint = f"The certificate is of no use: {expired}. Have a new one signed."
        return HostError(login.hop.name, HostFault.AUTH, detail, hint)
    hint = (
        f"Put the public key into ~{user}/.ssh/authorized_keys on the host, or set "
        "ansible_user and ansible_ssh_private_key_file in the inventory."
    )
    return HostError(login.hop.name, HostFault.AUTH, detail, hint)


def _not_reached(login: Login, error: asyncssh.ChannelOpenError) -> HostError:
    """Return what the jump host says of the way from there."""
    hop = login.hop
    if error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        detail = f"the jump host before it refuses to connect to {hop.where} for us"
        return HostError(hop.name, HostFault.FORWARDING, detail, _JUMP_HINT)
    said = printable(error.reason)
    fault = HostFault.REFUSED if "refused" in said.lower() else HostFault.UNREACHABLE
    detail = f"{hop.where}, as the jump host before it sees it: {said}"
    return HostError(hop.name, fault, detail, _SEEN_HINT)


def _failed(login: Login, error: asyncssh.Error) -> HostError:
    said = printable(str(error))
    if "Too many authentication failures" in said:
        detail = f"too many keys for user {login.hop.user!r}: {login.identity.description}"
        return HostError(login.hop.name, HostFault.AUTH, detail, _KEYS_HINT)
    return HostError(login.hop.name, HostFault.UNREACHABLE, said)


_JUMP_HINT = "Set AllowTcpForwarding yes (or local) in sshd_config of the jump host."
_SEEN_HINT = "Is sshd running there, and are address and port right as seen from the jump host?"
_KEYS_HINT = (
    "Name the one key to offer: ansible_ssh_private_key_file in the inventory, or IdentityFile "
    "with IdentitiesOnly yes in ssh's configuration."
)


async def attempt(login: Login) -> asyncssh.SSHClientConnection | None:
    """Log in; None where the other side hung up, so that another try is worth it.

    Raises a `HostError` of the hop.
    """
    hop = login.hop
    try:
        return await open_connection(login)
    except ConnectionRefusedError as e:
        hint = "Is sshd running there, and is ansible_port right?"
        raise HostError(hop.name, HostFault.REFUSED, hop.where, hint) from e
    except ConnectionError:
        return None
    except (socket.gaierror, UnicodeError) as e:
        detail = f"{hop.address!r} is no known host name"
        hint = "Set ansible_host in the inventory, or HostName in ssh's configuration."
        raise HostError(hop.name, HostFault.UNREACHABLE, detail, hint) from e
    except OSError as e:
        detail = f"{hop.where}: {printable(e.strerror or str(e))}"
        raise HostError(hop.name, HostFault.UNREACHABLE, detail) from e
