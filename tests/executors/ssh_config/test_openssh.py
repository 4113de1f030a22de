"""What orch resolves is what ``ssh -G`` prints, for the options it honours."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.executors.ssh_config.openssh import orch_says, ssh_says

pytestmark = pytest.mark.skipif(which("ssh") is None, reason="needs the ssh client")

HOSTS = ("web1", "Web1", "db.example.org", "10.0.0.7", "gate")

CONFIGS = {
    "nothing": "",
    "comments and blanks": "\n  # Port 1\n\t\n#\nPort 2200 # a comment\n User u\n",
    "equals signs": "Host=web1\nPort=2200\nUser = ann\nHost = *\n\tUser\t=\tbob\n",
    "first value wins": "Host web1\n Port 1\n User a\nHost *\n Port 2\n User b\n",
    "before any host": "User first\nHost *\n User second\n",
    "patterns": "Host web? !web2 db.*\n User a\nHost *.example.org\n Port 5\nHost 10.0*\n Port 6\n",
    "negation only": "Host !web1\n User a\nHost * !gate\n Port 7\n",
    "negation late": "Host web1 !web1\n User a\nHost web* !Web* web1\n Port 4\n",
    "several names": "Host gate web1\n HostName %h.internal\nHost web1\n HostName other\n",
    "host name": "Host web1\n HostName WEB1.Example.ORG\n Port 22\n",
    "quotes": 'Host "web1"\n IdentityFile "~/my key"\n User \'a b\'\n HostKeyAlias "x\\"y"\n',
    "escapes": "IdentityFile ~/my\\ key\nHostKeyAlias a\\\\b\nUser x#y\n",
    "keyword quoted": '"Port" 99\n',
    "case of keywords": "hOsT web1\n pOrT 9\n IDENTITYFILE /k\n",
    "identity files": "Host web1\n IdentityFile ~/.ssh/a\n IdentityFile /b\nHost *\n"
    " IdentityFile /c\n IdentityFile /b\n IdentitiesOnly yes\n CertificateFile /c-cert.pub\n",
    "no identity file": "IdentityFile none\nIdentitiesOnly true\n",
    "agent": "Host web1\n IdentityAgent ~/agent.sock\nHost gate\n IdentityAgent none\n",
    "known hosts": 'UserKnownHostsFile ~/.ssh/k_%h "/a b/%n" %d/%u.%i\nGlobalKnownHostsFile /g /h',
    "no known hosts": "UserKnownHostsFile none\nGlobalKnownHostsFile none\n",
    "tokens": "User u\nPort 44\nHostKeyAlias al\nUserKnownHostsFile /%C /%k /%L /%l /%p /%r /%%\n",
    "variables": "UserKnownHostsFile ${PLACE}/known /x/${PLACE}\n",
    "strictness": "Host web1\n StrictHostKeyChecking accept-new\nHost gate\n"
    " StrictHostKeyChecking off\nHost 10.*\n StrictHostKeyChecking ask\nHost *\n"
    " StrictHostKeyChecking yes\n",
    "times": "Host web1\n ConnectTimeout 1m30s\n ServerAliveInterval 2M\nHost *\n"
    " ConnectTimeout none\n ServerAliveCountMax 9\n ServerAliveInterval 15\n",
    "jump": "Host web1\n ProxyJump gate\nHost db.*\n ProxyJump ann@gate:2222,bob@[::1]:33,x\n"
    "Host 10.*\n ProxyJump ssh://ann@gate2:2222\n",
    "no jump": "Host web1\n ProxyJump none\nHost db*\n ProxyCommand none\nHost * !gate\n"
    " ProxyJump gate\n",
    "command": "Host web1\n ProxyCommand  ssh -W '%h:%p'   gate # x\n ProxyJump gate\nHost db*\n"
    " ProxyJump gate\n ProxyCommand nc %h %p\nHost 10.*\n ProxyCommand=nc -q0 %h %p\n",
    "match host": "Host web1\n HostName w1.example.org\nMatch host *.EXAMPLE.org\n Port 9\n"
    "Match originalhost WEB1\n User orig\n",
    "match user": "Host web1\n User ann\nMatch user ann,bob\n Port 9\nMatch !user ann\n Port 8\n",
    "match localuser": "Match localuser root,x*\n Port 9\nMatch all\n User all\n",
    "match several": 'Match originalhost "web1,gate" user root\n Port 9\n'
    "Match host web1 !originalhost gate\n User a\n",
    "match equals": "Match originalhost=web1\n Port 9\nMatch host =gate\n Port 8\n",
    "match final": "Host web1\n HostName w.example.org\nMatch final host *.example.org\n User fin\n"
    " IdentityFile /k\nMatch canonical\n Port 4\nHost *\n IdentityFile /k2\n",
    "match canonical alone": "Match canonical\n Port 4\nMatch !final originalhost gate\n User y\n",
    "family": "Host web1\n AddressFamily inet6\n BindAddress ::1\nHost *\n AddressFamily INET\n",
    "others": "Host *\n ForwardAgent yes\n Ciphers aes128-ctr\n ControlMaster auto\n"
    " SendEnv LANG LC_*\n LocalForward 80 h:80\n HashKnownHosts yes\n User x\n"
    " PermitLocalCommand no\n LocalCommand echo a\n",
    "spaces at ends": "Host web1 \t \n  Port 5 \t\r\nUser q\f\n",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_means_what_ssh_makes_of_it(name: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(CONFIGS[name])
    for host in HOSTS:
        assert orch_says(config, host) == ssh_says(config, host), host


def test_included_files_count_where_they_are_included(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    config = tmp_path / "config"
    config.write_text(
        f"Include {tmp_path}/sub/*.conf {tmp_path}/none\nHost web1\n Port 1\n"
        f" Include {tmp_path}/web\n User after\nHost *\n Port 2\n User end\n"
    )
    (tmp_path / "sub/b.conf").write_text(
        "Host gate\n Port 5\n HostKeyAlias b\nMatch all\n User m\n"
    )
    (tmp_path / "sub/a.conf").write_text("Host gate\n HostKeyAlias a\n")
    (tmp_path / "web").write_text(
        "HostKeyAlias w\nHost gate\n ConnectTimeout 3\nHost *\n ServerAliveInterval 7\n"
    )
    for host in HOSTS:
        assert orch_says(config, host) == ssh_says(config, host), host


_NAMES = st.sampled_from(["a", "ab", "b.c", "A"])
_PATTERNS = st.sampled_from(["a", "ab", "b.c", "a*", "*", "?b", "!a", "!*b", "*.c", "A"])


def host_line(patterns: list[str]) -> str:
    return f"Host {' '.join(patterns)}"


def match_line(negation: str, criterion: str, pattern: str) -> str:
    return f"Match {negation}{criterion} {pattern.lstrip('!')}"


def setting_line(name: str, delimiter: str, value: str) -> str:
    return f" {name}{delimiter}{value}"


_DELIMITERS = st.sampled_from([" ", "=", " = "])
_LINES = st.one_of(
    st.builds(host_line, st.lists(_PATTERNS, min_size=1, max_size=3)),
    st.builds(
        match_line,
        st.sampled_from(["", "!"]),
        st.sampled_from(["host", "originalhost", "user"]),
        _PATTERNS,
    ),
    st.sampled_from(["Match all", "Match final", "Match final host a*", "Match !final"]),
    st.builds(
        setting_line,
        st.sampled_from(["HostName", "User", "IdentityFile", "HostKeyAlias", "ProxyJump"]),
        _DELIMITERS,
        st.sampled_from(["a", "x", "none", '"b.c"', "ab#", "root"]),
    ),
    st.builds(
        setting_line,
        st.sampled_from(["Port", "ConnectTimeout"]),
        _DELIMITERS,
        st.sampled_from(["7", "08"]),
    ),
    st.sampled_from(["# Port 3", "", "ProxyCommand none", "ProxyCommand nc %h %p"]),
)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(_LINES, max_size=12), _NAMES)
def test_any_configuration_means_what_ssh_makes_of_it(
    tmp_path: Path, lines: list[str], host: str
) -> None:
    config = tmp_path / "config"
    # a jump host that is the host itself is refused by ssh, before it prints anything
    config.write_text("\n".join(lines).replace(f"ProxyJump {host}\n", "ProxyJump gate\n"))
    try:
        said = ssh_says(config, host)
    except Exception:
        return
    assert orch_says(config, host) == said
