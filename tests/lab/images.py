"""Images for the lab's dockerd, made of the machine's own programs: no registry is asked.

busybox:1.36; redis:3.2, 4.0 and 7 (one program, three tags); http:1 and 2 (the page names the
version); crash:1 (exits CODE after DELAY s); stubborn:1 (ignores SIGTERM); job:1 (ends well). The
same machine always makes the same images.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lab import packages
from tests.lab.host import LabHost
from tests.lab.programs import run

# program → the Debian package it comes from
PROGRAMS = {"busybox": "busybox-static", "redis-server": "redis-server"}

# A file, a link to somewhere, or a directory.
Content = bytes | str | None
_EXECUTABLE = 0o755
_STICKY = 0o1777
_PASSWD = b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
# As process 1 busybox httpd would not hear SIGTERM: the shell does.
_HTTPD = "trap 'kill $!; exit 0' TERM INT; httpd -f -p ${PORT:-80} -h /www & wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One tag: its configuration and the layers below it, as tar archives."""

    tag: str
    layers: tuple[bytes, ...]
    settings: Mapping[str, object]

    def config(self) -> bytes:
        """The image's configuration as dockerd keeps it; its hash is the image's id."""
        digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in self.layers]
        return json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "created": "2020-01-01T00:00:00Z",
                "config": self.settings,
                "rootfs": {"type": "layers", "diff_ids": digests},
            },
            sort_keys=True,
        ).encode()


@cache
def images() -> tuple[Image, ...]:
    """Every image, with shared layers; the programs they are made of are brought first."""
    packages.bring(PROGRAMS)
    box = _busybox()
    redis = _layer(_program("redis-server") | _program("redis-cli") | {"data": None})
    serve = {"Cmd": ["redis-server", "--protected-mode", "no"], "WorkingDir": "/data"}
    ports: dict[str, object] = {"ExposedPorts": {"6379/tcp": {}}}
    found = [_image("busybox:1.36", [box], {"Cmd": ["sh"]})]
    for tag in ("3.2", "4.0", "7"):
        env = {"Env": ["PATH=/usr/bin:/bin", f"REDIS_VERSION={tag}"]}
        found.append(_image(f"redis:{tag}", [box, redis], {**serve, **ports, **env}))
    for tag in ("1", "2"):
        page = _layer({"www/index.html": f"http v{tag}\n".encode(), "www/health": b"ok\n"})
        found.append(_image(f"http:{tag}", [box, page], _shell(_HTTPD)))
    crash = "echo starting; echo boom >&2; sleep ${DELAY:-0}; exit ${CODE:-3}"
    found.append(_image("crash:1", [box], _shell(crash)))
    stubborn = "trap '' TERM INT; echo running; while :; do sleep 1; done"
    found.append(_image("stubborn:1", [box], _shell(stubborn)))
    found.append(_image("job:1", [box], _shell("echo begin; sleep ${DELAY:-1}; echo end")))
    return tuple(found)


@cache
def archive(*tags: str) -> bytes:
    """What `docker load` reads: these tags, or all; each layer is in it once."""
    out, done = io.BytesIO(), set[str]()
    manifest: list[dict[str, object]] = []
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:

        def put(name: str, data: bytes) -> str:
            if name not in done:
                _add(tar, name, data)
                done.add(name)
            return name

        for image in images():
            if tags and image.tag not in tags:
                continue
            config = image.config()
            layers = [put(f"{hashlib.sha256(x).hexdigest()}.tar", x) for x in image.layers]
            name = put(f"{hashlib.sha256(config).hexdigest()}.json", config)
            manifest.append({"Config": name, "RepoTags": [image.tag], "Layers": layers})
        put("manifest.json", json.dumps(manifest).encode())
    return out.getvalue()


def image_id(tag: str) -> str:
    """The id that dockerd gives the image."""
    image = next(i for i in images() if i.tag == tag)
    return f"sha256:{hashlib.sha256(image.config()).hexdigest()}"


def _image(tag: str, layers: Sequence[bytes], settings: Mapping[str, object]) -> Image:
    whole = {"Env": ["PATH=/usr/bin:/bin"], **settings}
    return Image(tag=tag, layers=tuple(layers), settings=whole)


def _shell(text: str) -> dict[str, object]:
    return {"Cmd": ["/bin/sh", "-c", text]}


def _busybox() -> bytes:
    binary = shutil.which("busybox", path="/bin:/usr/bin") or "/bin/busybox"
    applets = run([binary, "--list"]).split()
    links: dict[str, Content] = {f"bin/{a}": "busybox" for a in applets if a != "busybox"}
    linked = _libraries(binary)
    folders: dict[str, Content] = dict.fromkeys(("tmp", "proc", "sys", "dev"))
    files: dict[str, Content] = {
        "bin/busybox": Path(binary).read_bytes(),
        "etc/passwd": _PASSWD,
        "etc/group": b"root:x:0:\n",
    }
    return _layer(links | folders | linked | files)


def _program(name: str) -> dict[str, Content]:
    """A program and the libraries it is linked with, by the paths it expects."""
    binary = f"/usr/bin/{name}"
    return {binary.lstrip("/"): Path(binary).read_bytes(), **_libraries(binary)}


def _libraries(binary: str) -> dict[str, Content]:
    """The libraries that a program is linked with; none if it is static, which ldd won't have."""
    found = re.findall(r"(/\S+) \(0x", run(["ldd", binary], check=False))
    return {path.lstrip("/"): Path(path).read_bytes() for path in found}


def _layer(files: Mapping[str, Content]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content in sorted(files.items()):
            _add(tar, path, content)
    return out.getvalue()


def _add(tar: tarfile.TarFile, path: str, content: Content) -> None:
    """Add an entry that is root's, of no time."""
    entry = tarfile.TarInfo(path)
    entry.mode = _STICKY if path == "tmp" else _EXECUTABLE
    if content is None:
        entry.type = tarfile.DIRTYPE
    elif isinstance(content, str):
        entry.type, entry.linkname = tarfile.SYMTYPE, content
    else:
        entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)


def load(host: LabHost, *tags: str) -> None:
    """Give the host's dockerd these images, or all, by `docker load`."""
    path = host.root / "tmp/images.tar"
    path.write_bytes(archive(*tags))
    host.sh("docker load -q -i /tmp/images.tar && rm /tmp/images.tar")
