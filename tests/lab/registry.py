"""A registry with a password on a host of the lab, at 127.0.0.1, where dockerd needs no TLS."""

from __future__ import annotations

from tests.lab import packages
from tests.lab.host import LabHost
from tests.lab.programs import run, wait_for

PROGRAMS = {"docker-registry": "docker-registry", "htpasswd": "apache2-utils"}
ADDRESS = "127.0.0.1:5000"
USER, PASSWORD = "shop", "s3cret"

_CONFIG = f"""\
version: 0.1
storage: {{filesystem: {{rootdirectory: /var/lib/registry}}}}
http: {{addr: "{ADDRESS}"}}
auth: {{htpasswd: {{realm: lab, path: /etc/registry.htpasswd}}}}
"""
_LOGIN = f"echo {PASSWORD} | docker login -u {USER} --password-stdin {ADDRESS} >/dev/null 2>&1"


def serve(host: LabHost, *tags: str) -> None:
    """Start the registry with these images of the host in it; it forgets that it had them."""
    packages.bring(PROGRAMS)
    (host.root / "etc/registry.yml").write_text(_CONFIG)
    secret = run(["htpasswd", "-Bbn", USER, PASSWORD])
    (host.root / "etc/registry.htpasswd").write_text(secret)
    log = ">/var/log/registry.log 2>&1 </dev/null"
    host.sh(f"mkdir -p /var/lib/registry; setsid -f docker-registry serve /etc/registry.yml {log}")
    wait_for(lambda: "401" in host.sh(_PING, check=False), f"the registry on {host.name}")
    for tag in tags:
        push(host, tag, tag)


def push(host: LabHost, image: str, tag: str) -> None:
    """Let a tag of the registry stand for an image of the host; the host forgets that tag."""
    there = f"{ADDRESS}/{tag}"
    host.sh(_LOGIN)
    send = f"docker push -q {there} >/dev/null && docker rmi {there} >/dev/null"
    host.sh(f"docker tag {image} {there} && {send}")
    logout(host)


_PING = f"curl -s -o /dev/null -w '%{{http_code}}' http://{ADDRESS}/v2/"


def login(host: LabHost) -> None:
    """Log root in on the host."""
    host.sh(_LOGIN)


def logout(host: LabHost) -> None:
    """Let root's credentials be forgotten."""
    host.sh(f"docker logout {ADDRESS} >/dev/null 2>&1 || :")


def forget(host: LabHost, *tags: str) -> None:
    """Take the images back that came from the registry."""
    for tag in tags:
        host.sh(f"docker rmi -f {ADDRESS}/{tag} >/dev/null 2>&1 || :")


def end(host: LabHost) -> None:
    """Stop the registry."""
    host.sh("pkill -9 -x docker-registry || :; rm -rf /var/lib/registry")
