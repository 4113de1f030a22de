"""SSH as people have it, on real hosts: jump hosts, certificates, agents, known_hosts."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from executors.ssh import SshConnector
from executors.ssh_config.expand import here
from executors.ssh_config.reader import ConfigFile, read
from executors.ssh_config.resolve import SshConfig
from executors.ssh_settings import SshSettings
from executors.transport import HostError, HostFault
from inventory.model import SshTarget
from tests.executors.fido_agent import FidoAgent
from tests.lab.fleet import Lab
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmpzXcwpZLQ1c+2Rw3XH8cR5tm1kz+3kyjSgkHeRk0N"


@dataclass
class Ways:
    """One test's configuration, known hosts and keys, and connections made by them alone."""

    lab: Lab
    folder: Path
    settings: SshSettings = field(
        default_factory=lambda: SshSettings(agent="", connect_timeout=60.0)
    )

    @property
    def known(self) -> Path:
        return self.folder / "known_hosts"

    def configure(self, text: str) -> None:
        """Write the configuration; the lab's user, its key and known_hosts are its end."""
        key = self.lab.host("h1").key_path
        end = f"\nHost *\n User root\n IdentityFile {key}\n UserKnownHostsFile {self.known}\n"
        (self.folder / "config").write_text(text + end)

    def trust(self, *lines: str) -> None:
        self.known.write_text("".join(f"{line}\n" for line in lines))

    def trust_all(self) -> None:
        self.trust(*(f"{h.address} {h.host_key}" for h in self.lab.hosts.values()))

    @asynccontextmanager
    async def connecting(self, *names: str) -> AsyncGenerator[SshConnector]:
        config = SshConfig(read((ConfigFile(path=str(self.folder / "config")),)), here(os.environ))
        targets = {name: SshTarget(host=name, address=name) for name in names}
        connector = SshConnector(targets, self.settings, config)
        try:
            yield connector
        finally:
            await connector.close()

    async def says(self, name: str, command: str) -> str:
        async with self.connecting(name) as connector:
            return await said(connector, name, command)

    async def refusal(self, name: str) -> HostError:
        async with self.connecting(name) as connector:
            with pytest.raises(HostError) as caught:
                await connector.connect(name)
        assert str(caught.value).startswith(f"{name}: ")
        return caught.value


async def said(connector: SshConnector, name: str, command: str) -> str:
    transport = await connector.connect(name)
    return (await transport.run(("sh", "-c", command))).stdout.decode().strip()


@pytest.fixture
def ways(fresh_lab: Lab, tmp_path: Path) -> Ways:
    made = Ways(fresh_lab, tmp_path)
    made.trust_all()
    made.configure("")
    return made


def keygen(*arguments: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True, capture_output=True)


def new_key(path: Path) -> Path:
    keygen("-t", "ed25519", "-N", "", "-C", path.name, "-f", path)
    return path


def public(path: Path) -> str:
    return path.with_name(f"{path.name}.pub").read_text().strip()


def let_in(host: LabHost, user: str, keys: str, *, only: bool = True) -> None:
    """Make a user whom these keys let in; root's own may go."""
    host.sh(
        f"id -u {user} >/dev/null 2>&1 || useradd -m -s /bin/sh -p '*' {user}; "
        f"home=$(getent passwd {user} | cut -d: -f6); mkdir -p $home/.ssh; "
        f"echo '{keys}' >{'' if only else '>'}$home/.ssh/authorized_keys; "
        f"chown -R {user} $home; chmod 700 $home/.ssh"
    )


FROM = "echo ${SSH_CONNECTION%% *}"


# -- jump hosts -----------------------------------------------------------------------------------


@pytest.fixture
def chain(ways: Ways) -> Ways:
    """Hosts end and end2 are reached through h1, h2 and h3; h2 has its own port, user and key."""
    h1, h2, h3 = (ways.lab.host(f"h{n}") for n in (1, 2, 3))
    if "end" not in ways.lab.hosts:
        ways.lab.add("end")
    end = ways.lab.host("end")
    let_in(h2, "ops", public(new_key(ways.folder / "ops")))
    h2.configure_sshd("Port 22")
    h2.configure_sshd("Port 2222")
    ways.configure(
        f"Host end end2\n HostName {end.address}\n ProxyJump h1,ops@h2:2222,third\n"
        f"Host end2\n HostKeyAlias second-name\n"
        f"Host h1\n HostName {h1.address}\nHost third\n HostName {h3.address}\n"
        f"Host h2\n HostName {h2.address}\n IdentityFile {ways.folder}/ops\n IdentitiesOnly yes\n"
        f" HostKeyAlias gate-two\n"
    )
    ways.trust(
        f"{h1.address} {h1.host_key}",
        f"gate-two {h2.host_key}",
        f"{h3.address} {h3.host_key}",
        f"{end.address},second-name {end.host_key}",
    )
    return ways


def logins_of(host: LabHost) -> int:
    """How many connections to its sshd stand."""
    return len(host.sh("ss -Htn state established '( sport = :22 or sport = :2222 )'").splitlines())


async def test_three_jump_hosts_each_with_its_own_login(chain: Ways) -> None:
    lab = chain.lab
    async with chain.connecting("end", "end2") as connector:
        seen = await asyncio.gather(*(said(connector, n, FROM) for n in ("end", "end2")))
        assert seen == [lab.host("h3").address] * 2
        # one login on each jump host, for both hosts behind them
        assert [logins_of(lab.host(n)) for n in ("h1", "h2", "h3", "end")] == [1, 1, 1, 2]
        assert "ops" in lab.host("h2").sh("ps -eo args | grep '[s]shd: ops'")
        # the jump hosts' connections stay for others
        await connector.hang_up("end")
        assert await said(connector, "end2", "echo still") == "still"
        assert await said(connector, "end", "echo again") == "again"


async def test_a_wrong_host_key_at_the_second_jump_host_is_refused_and_named(chain: Ways) -> None:
    lines = chain.known.read_text().splitlines()
    chain.trust(*(f"gate-two {OTHER_KEY}" if "gate-two" in line else line for line in lines))
    error = await chain.refusal("end")
    assert error.fault is HostFault.HOST_KEY_CHANGED
    assert error.detail.startswith("jump host ops@h2:2222 (2 of 3): gate-two shows ssh-ed25519 ")
    assert f"{chain.known}:2" in error.detail
    assert logins_of(chain.lab.host("h3")) == 0


async def test_a_wrong_key_at_the_second_jump_host_is_refused_and_named(chain: Ways) -> None:
    let_in(chain.lab.host("h2"), "ops", OTHER_KEY)
    async with chain.connecting("end", "end2") as connector:
        ends = await asyncio.gather(
            connector.connect("end"), connector.connect("end2"), return_exceptions=True
        )
    for name, error in zip(("end", "end2"), ends, strict=True):
        assert isinstance(error, HostError)
        assert error.fault is HostFault.AUTH
        assert str(error) == (
            f"{name}: permission denied: jump host ops@h2:2222 (2 of 3): "
            f"user 'ops' with key {chain.folder}/ops, key {chain.lab.host('h1').key_path}"
        )
    # One try was for both of them; sshd writes of it when it comes to it.
    line = "'Connection closed by authenticating' /var/log/sshd.log"
    log = chain.lab.host("h2").sh(f"until grep -q {line}; do sleep 0.1; done; grep -c {line}")
    assert log == "1\n"


async def test_what_a_jump_host_can_t_reach_is_said_as_it_sees_it(chain: Ways) -> None:
    chain.lab.host("h3").stop_sshd()
    error = await chain.refusal("end")
    assert error.fault is HostFault.REFUSED
    assert error.detail.startswith("jump host third (3 of 3): ")
    assert "as the jump host before it sees it: Connection refused" in error.detail
    chain.lab.host("h3").heal()
    chain.lab.host("h2").configure_sshd("AllowTcpForwarding no")
    error = await chain.refusal("end")
    assert error.fault is HostFault.FORWARDING
    assert error.detail.startswith("jump host third (3 of 3): the jump host before it refuses")


async def test_no_more_logins_at_once_go_through_a_jump_host_than_are_allowed(ways: Ways) -> None:
    most, now, peak = 4, 0, 0
    everybody = 20

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, peak
        now, before = now + 1, now
        peak = max(peak, now)
        # the last ones allowed show whether more come, before they let go
        await asyncio.sleep(0.3 if before + 1 >= most else 0.1)
        now -= 1
        writer.close()

    machine = f"10.99.{ways.lab.number}.1"
    server = await asyncio.start_server(count, machine, 0)
    port = server.sockets[0].getsockname()[1]
    ways.configure(
        f"Host t*\n HostName {machine}\n Port {port}\n ProxyJump gate\n"
        f"Host gate\n HostName {ways.lab.host('h1').address}\n"
    )
    ways.settings = replace(ways.settings, jump_concurrency=most, attempts=1)
    names = [f"t{n}" for n in range(everybody)]
    async with server, ways.connecting(*names) as connector:
        ends = await asyncio.gather(*map(connector.connect, names), return_exceptions=True)
        assert logins_of(ways.lab.host("h1")) == 1
    assert {type(e) for e in ends} == {HostError}
    assert peak == most


# -- certificates ---------------------------------------------------------------------------------


@dataclass
class Authority:
    """A key that signs others."""

    key: Path

    def signs(self, public_key: Path, *arguments: str) -> Path:
        keygen("-s", self.key, "-I", "test", *arguments, public_key)
        return public_key.with_name(public_key.name.replace(".pub", "-cert.pub"))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(new_key(tmp_path / "authority"))


@pytest.fixture
def certified(ways: Ways, authority: Authority) -> Ways:
    """Host h1 lets in nobody but whom the authority vouches for."""
    h1 = ways.lab.host("h1")
    h1.sh(f"echo '{public(authority.key)}' >/etc/ssh/users.pub; rm /root/.ssh/authorized_keys")
    h1.configure_sshd("TrustedUserCAKeys /etc/ssh/users.pub")
    new_key(ways.folder / "mine")
    ways.configure(f"Host h1\n HostName {h1.address}\n IdentityFile {ways.folder}/mine\n")
    return ways


async def test_a_host_that_takes_certificates_only(certified: Ways, authority: Authority) -> None:
    mine = certified.folder / "mine.pub"
    assert (await certified.refusal("h1")).fault is HostFault.AUTH
    beside = authority.signs(mine, "-n", "root")
    assert await certified.says("h1", "id -un") == "root"
    # or anywhere else, if it is named
    beside.rename(certified.folder / "elsewhere")
    assert (await certified.refusal("h1")).fault is HostFault.AUTH
    text = (certified.folder / "config").read_text()
    certified.configure(f"CertificateFile {certified.folder}/elsewhere\n{text}")
    assert await certified.says("h1", "id -un") == "root"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-n", "root", "-V", "20200101:20200102"), "certificate expired"),
        (("-n", "nobody"), "certificate principal mismatch"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_said(
    certified: Ways, authority: Authority, arguments: Sequence[str], said: str
) -> None:
    authority.signs(certified.folder / "mine.pub", *arguments)
    error = await certified.refusal("h1")
    assert error.fault is HostFault.AUTH
    assert "with its certificate" in error.detail
    assert said in error.hint


@pytest.fixture
def vouched(ways: Ways, authority: Authority) -> Ways:
    """Host h1 shows a certificate for its address and for the name web."""
    h1 = ways.lab.host("h1")
    key = ways.folder / "h1.pub"
    key.write_text(f"{h1.host_key}\n")
    certificate = authority.signs(key, "-h", "-n", f"{h1.address},web").read_text()
    h1.sh(f"echo '{certificate}' >/etc/ssh/cert.pub")
    h1.configure_sshd("HostCertificate /etc/ssh/cert.pub")
    ways.configure(f"Host h1\n HostName {h1.address}\n")
    return ways


async def test_an_authority_vouches_for_hosts(vouched: Ways, authority: Authority) -> None:
    vouched.trust(f"@cert-authority 10.99.* {public(authority.key)}")
    assert await vouched.says("h1", "echo in") == "in"
    vouched.trust(f"@cert-authority 10.98.* {public(authority.key)}")
    assert (await vouched.refusal("h1")).fault is HostFault.HOST_KEY_UNKNOWN
    vouched.trust(f"@cert-authority * {OTHER_KEY}")
    error = await vouched.refusal("h1")
    assert error.fault is HostFault.HOST_KEY_CHANGED
    assert "host ca key is not trusted" in error.detail


async def test_a_certificate_is_for_the_name_that_is_used(
    vouched: Ways, authority: Authority
) -> None:
    address = vouched.lab.host("h1").address
    vouched.trust(f"@cert-authority * {public(authority.key)}")
    vouched.configure(f"Host h1\n HostName {address}\n HostKeyAlias web\n")
    assert await vouched.says("h1", "echo in") == "in"
    vouched.configure(f"Host h1\n HostName {address}\n HostKeyAlias db\n")
    error = await vouched.refusal("h1")
    assert "certificate principal mismatch" in error.detail
    assert "HostKeyAlias" in error.hint


async def test_a_revoked_key_is_refused_whoever_vouches_for_it(
    vouched: Ways, authority: Authority
) -> None:
    h1 = vouched.lab.host("h1")
    vouched.trust(f"@cert-authority * {public(authority.key)}", f"@revoked * {h1.host_key}")
    error = await vouched.refusal("h1")
    assert error.fault is HostFault.HOST_KEY_CHANGED
    assert f"is revoked in {vouched.known}:2" in error.detail


# -- agents ---------------------------------------------------------------------------------------


@pytest.fixture
def agent(tmp_path: Path) -> Generator[Path]:
    """The socket of an ssh-agent without keys."""
    path = tmp_path / "agent"
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL
    ) as process:
        while not path.exists():
            time.sleep(0.01)
        yield path
        process.terminate()


def load_into(agent: Path, *keys: Path) -> None:
    environment = {**os.environ, "SSH_AUTH_SOCK": str(agent)}
    subprocess.run(["ssh-add", "-q", *map(str, keys)], env=environment, check=True)


async def test_a_key_that_only_the_agent_has(ways: Ways, agent: Path) -> None:
    h1, key = ways.lab.host("h1"), new_key(ways.folder / "mine")
    let_in(h1, "root", public(key))
    others = [new_key(ways.folder / f"other{n}") for n in range(7)]
    load_into(agent, *others, key)
    for file in (key, *others):
        file.unlink()
    # more than sshd listens to: the right one has to be named
    ways.configure(f"Host h1\n HostName {h1.address}\n IdentityAgent {agent}\n")
    error = await ways.refusal("h1")
    assert error.fault is HostFault.AUTH
    assert "too many keys" in error.detail
    assert "IdentitiesOnly" in error.hint
    for named in (key, f"{key}.pub"):
        ways.configure(
            f"Host h1\n HostName {h1.address}\n IdentityAgent {agent}\n IdentityFile {named}\n"
        )
        assert await ways.says("h1", "echo in") == "in"


async def test_a_key_with_a_certificate_in_the_agent(
    certified: Ways, authority: Authority, agent: Path
) -> None:
    mine = certified.folder / "mine"
    beside = authority.signs(mine.with_suffix(".pub"), "-n", "root")
    load_into(agent, mine)
    mine.unlink()
    beside.unlink()
    certified.settings = replace(certified.settings, agent=str(agent))
    assert await certified.says("h1", "id -un") == "root"


async def test_a_fido_key_signs_through_the_agent(ways: Ways) -> None:
    h1, fido = ways.lab.host("h1"), FidoAgent(ways.folder / "fido")
    let_in(h1, "root", fido.public_line)
    (ways.folder / "sk.pub").write_text(fido.public_line)
    for line in ("", f" IdentityFile {ways.folder}/sk\n IdentitiesOnly yes\n"):
        ways.configure(
            f"Host h1\n HostName {h1.address}\n IdentityAgent {ways.folder}/fido\n{line}"
        )
        async with fido.listening():
            assert await ways.says("h1", "echo in") == "in"
    assert fido.signatures == 2


# -- known_hosts ----------------------------------------------------------------------------------


async def test_hashed_names_are_found(ways: Ways) -> None:
    hosts = [ways.lab.host(f"h{n}") for n in (1, 2, 3)]
    keygen("-H", "-f", ways.known)
    text = ways.known.read_text()
    assert all(line.startswith("|1|") for line in text.splitlines())
    ways.configure("".join(f"Host {h.name}\n HostName {h.address}\n" for h in hosts))
    for host in hosts:
        assert await ways.says(host.name, "hostname") == host.name
    ways.trust(*(line for line in text.splitlines() if hosts[0].host_key not in line))
    assert (await ways.refusal("h1")).fault is HostFault.HOST_KEY_UNKNOWN


async def test_an_alias_is_looked_up_in_the_place_of_address_and_port(ways: Ways) -> None:
    h1 = ways.lab.host("h1")
    h1.configure_sshd("Port 22")
    h1.configure_sshd("Port 2222")
    ways.configure(f"Host h1\n HostName {h1.address}\n Port 2222\n HostKeyAlias The-Web\n")
    ways.trust(f"the-web {h1.host_key}", f"[{h1.address}]:2222 {OTHER_KEY}")
    assert await ways.says("h1", "echo in") == "in"
    ways.trust(f"[the-web]:2222 {h1.host_key}")
    error = await ways.refusal("h1")
    assert error.detail.startswith("The-Web shows ssh-ed25519 ")
    assert error.hint.splitlines()[-1].strip() == f"The-Web {h1.host_key}"


@pytest.mark.parametrize("word", ["no", "off", "accept-new"])
async def test_no_word_makes_orch_believe_an_unknown_key(ways: Ways, word: str) -> None:
    ways.trust()
    h1 = ways.lab.host("h1")
    ways.configure(f"Host h1\n HostName {h1.address}\n StrictHostKeyChecking {word}\n")
    error = await ways.refusal("h1")
    assert error.fault is HostFault.HOST_KEY_UNKNOWN
    assert f"StrictHostKeyChecking {word} is not followed" in error.hint
