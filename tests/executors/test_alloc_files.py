from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from executors.alloc_files import Entry, FileRequest, Found, What, read
from executors.fake import FakeConnector, FakeHost, Reply
from executors.logs import Tail
from executors.transport import Completed, HostError
from planner.errors import OrchError
from tests.executors.on_host import HostUnderTest, eventually, host

__all__ = ["host"]

ALLOC = "a1b2c3d4-0000-0000-0000-000000000000"


def place(host: HostUnderTest) -> Path:
    top = host.data / "alloc" / ALLOC
    for folder in ("alloc/logs", "t/local", "t/secrets"):
        (top / folder).mkdir(parents=True)
    return top


async def shown(
    host: HostUnderTest, path: str = "", what: What = What.SHOW, tail: Tail | None = None
) -> tuple[Found, bytes]:
    parts: list[bytes] = []
    request = FileRequest(alloc_id=ALLOC, path=path, what=what, tail=tail, data_dir=str(host.data))
    found = await read(host.transport, request, parts.append)
    return found, b"".join(parts)


async def refused(host: HostUnderTest, path: str, what: What = What.SHOW) -> str:
    with pytest.raises(OrchError) as caught:
        await shown(host, path, what)
    return str(caught.value)


def names(found: Found) -> list[bytes]:
    return sorted(e.name for e in found.entries)


async def test_entries_of_a_directory(host: HostUnderTest) -> None:
    top = place(host)
    (top / "t/local/.hidden").write_bytes(b"12345")
    (top / "t/local/.hidden").chmod(0o640)
    os.utime(top / "t/local/.hidden", (1, 1_700_000_000))
    (top / "t/local/link").symlink_to("/etc/passwd")
    found, _ = await shown(host)
    assert (found.kind, names(found)) == ("dir", [b"alloc", b"t"])
    assert all(stat.S_ISDIR(e.mode) for e in found.entries)
    found, _ = await shown(host, "/t/local/")
    assert names(found) == [b".hidden", b"link"]
    (hidden,) = (e for e in found.entries if e.name == b".hidden")
    assert hidden == Entry(name=b".hidden", mode=0o100640, size=5, modified=1_700_000_000)
    assert any(stat.S_ISLNK(e.mode) for e in found.entries)
    assert (await shown(host, "alloc/logs"))[0] == Found(kind="dir")


async def test_names_of_any_kind(host: HostUnderTest) -> None:
    folder = place(host) / "t/local"
    odd = [b"a b", b"-n", b"*", b"new\nline", b"\x1b[31m", b"\xff", b"..x", b"'q'", b"tab\t"]
    for name in odd:
        (folder / os.fsdecode(name)).write_bytes(b"x")
    found, _ = await shown(host, "t/local")
    assert names(found) == sorted(odd)
    assert {e.size for e in found.entries} == {1}
    _, data = await shown(host, "t/local/new\nline")
    assert data == b"x"
    _, data = await shown(host, "t/local/-n")
    assert data == b"x"


async def test_a_file_and_its_end(host: HostUnderTest) -> None:
    path = place(host) / "t/local/f"
    whole = bytes(range(256)) * 5000 + b"\nlast but one\nlast\n"
    path.write_bytes(whole)
    assert (await shown(host, "t/local/f")) == (Found(kind="file"), whole)
    assert (await shown(host, "t/local/f", tail=Tail(lines=1)))[1] == b"last\n"
    assert (await shown(host, "t/local/f", tail=Tail(size=3)))[1] == b"st\n"
    path.write_bytes(b"")
    assert (await shown(host, "t/local/f"))[1] == b""


async def test_a_file_that_grows(host: HostUnderTest) -> None:
    path = place(host) / "t/local/f"
    path.write_bytes(b"one\ntwo\n")
    parts: list[bytes] = []
    request = FileRequest(
        alloc_id=ALLOC,
        path="t/local/f",
        what=What.FOLLOW,
        tail=Tail(lines=1),
        data_dir=str(host.data),
    )
    reading = asyncio.create_task(read(host.transport, request, parts.append))

    async def came(wanted: bytes) -> None:
        async def look() -> bool | None:
            return b"".join(parts) == wanted or None

        await eventually(look, f"{wanted!r} did not come")

    await came(b"two\n")
    with path.open("ab") as f:
        f.write(b"three\n")
    await came(b"two\nthree\n")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    async def let_go() -> bool | None:
        return not _tailed(path) or None

    await eventually(let_go, "something is left behind")


def _tailed(path: Path) -> bool:
    """Whether any other process has the file open."""
    found: list[str] = []
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found.append(os.readlink(fd))  # noqa: PTH115 - text, as it is
        except OSError:
            continue
    return str(path.resolve()) in found


async def test_what_a_path_is(host: HostUnderTest) -> None:
    top = place(host)
    (top / "t/local/f").write_bytes(b"text\n" * 1000)
    found, data = await shown(host, "t/local/f", What.STAT)
    assert (found.kind, found.entries[0].name, found.entries[0].size) == ("stat", b"f", 5000)
    assert (found.head, data) == ((b"text\n" * 1000)[:512], b"")
    found, _ = await shown(host, "t/local", What.STAT)
    assert stat.S_ISDIR(found.entries[0].mode)
    assert (await shown(host, "t/local", What.DESCRIBE))[0].kind == "dir"
    assert (await shown(host, "t/local/f", What.DESCRIBE))[0].kind == "stat"


@pytest.mark.parametrize("what", What)
async def test_nothing_outside_is_shown(host: HostUnderTest, what: What) -> None:
    top = place(host)
    (host.data / "alloc" / f"{ALLOC}x").mkdir()
    (host.data / "alloc" / f"{ALLOC}x/f").write_text("another's")
    local = top / "t/local"
    (local / "file").symlink_to("/etc/passwd")
    (local / "folder").symlink_to("/etc")
    (local / "again").symlink_to("folder")
    (local / "next").symlink_to(f"../../../{ALLOC}x")
    (local / "host").symlink_to("/proc/self/root/etc")
    for path in (
        "t/local/file",
        "t/local/folder",
        "t/local/folder/passwd",
        "t/local/again/passwd",
        "t/local/next/f",
        "t/local/host/passwd",
        "../../records",
        "..",
        f"../{ALLOC}x/f",
        "/../../../../../../../../etc/passwd",
    ):
        told = await refused(host, path, what)
        assert "leads out of" in told or "no such file" in told, (path, told)


async def test_links_within_are_followed(host: HostUnderTest) -> None:
    top = place(host)
    (top / "alloc/logs/x").write_text("inside")
    (top / "t/local/link").symlink_to("../../alloc/logs/x")
    (top / "t/local/folder").symlink_to("../../alloc/logs")
    assert (await shown(host, "t/local/link"))[1] == b"inside"
    assert (await shown(host, "t/local/folder/x"))[1] == b"inside"


async def test_what_is_no_file(host: HostUnderTest) -> None:
    top = place(host)
    os.mkfifo(top / "t/local/pipe")
    with socket.socket(socket.AF_UNIX) as s:
        here = Path.cwd()
        os.chdir(top / "t/local")  # a socket's name must be short
        s.bind("socket")
        os.chdir(here)
    (top / "t/local/dangling").symlink_to("nowhere")
    assert "neither a file nor a directory" in await refused(host, "t/local/pipe")
    assert "neither a file nor a directory" in await refused(host, "t/local/socket")
    assert "to what is not there" in await refused(host, "t/local/dangling")
    assert "no such file or directory" in await refused(host, "t/local/none")
    assert "no such file or directory" in await refused(host, "t/local/none/x")
    assert names((await shown(host, "t/local"))[0]) == [b"dangling", b"pipe", b"socket"]


@pytest.mark.parametrize("what", What)
async def test_secrets_are_not_shown(host: HostUnderTest, what: What) -> None:
    top = place(host)
    (top / "t/secrets/key").write_text("hunter2")
    (top / "t/local/key").symlink_to("../secrets/key")
    for path in (
        "t/secrets/key",
        "t/local/key",
        "t/local/../secrets/key",
        "alloc/../t/secrets/key",
    ):
        assert "is a secret of its task" in await refused(host, path, what)
    (top / "alloc/secrets").mkdir()
    (top / "alloc/secrets/shared").write_text("no secret")
    assert (await shown(host, "alloc/secrets/shared"))[1] == b"no secret"


async def test_an_allocation_that_is_gone(host: HostUnderTest) -> None:
    assert "a1b2c3d4 has no directory there" in await refused(host, "")
    assert "is no path" in await refused(host, "a\0b")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"garbage",
        b"orch-fs\t",
        b"orch-fs\tdir\nno entry\0",
        b"orch-fs\tdir\n81a4 1 99999999999999999999 x\0",
        b"orch-fs\tstat\n",
        b"orch-fs\tmore\nx",
    ],
)
async def test_an_answer_that_is_none(said: bytes) -> None:
    host = FakeHost(default=Reply(completed=Completed(exit_status=0, stdout=said)))
    transport = await FakeConnector({"h1": host}).connect("h1")
    with pytest.raises(HostError, match="h1: unusable output"):
        await read(transport, FileRequest(alloc_id=ALLOC), lambda _: None)
