"""Lines of known_hosts as ssh-keygen reads them, added and replaced without harm to others."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from executors import known_hosts_file
from executors.known_hosts import KnownHosts
from planner.errors import OrchError
from tests.cli.liar import new_key, public

OLD, NEW, OTHER = public(new_key()), public(new_key()), public(new_key())


def found(path: Path, name: str) -> list[str]:
    """The keys that ssh-keygen finds for a name, in its own words."""
    argv = ("ssh-keygen", "-F", name, "-f", str(path))
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    lines = [x for x in done.stdout.splitlines() if x and not x.startswith("#")]
    return [" ".join(x.split()[1:3]) for x in lines]


def ours(path: Path, name: str) -> list[str]:
    known = KnownHosts()
    known.add(path.read_text(), str(path))
    return [k.line for k in known.named(name)]


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("name", ["192.0.2.1", "[192.0.2.1]:2222", "Alias.example.com", "::1"])
def test_what_is_added_is_found_by_ssh_and_by_us(tmp_path: Path, name: str, hashed: bool) -> None:
    path = tmp_path / "new" / "known_hosts"
    known_hosts_file.append(path, [known_hosts_file.entry(name, NEW, hashed=hashed)])
    assert found(path, name) == ours(path, name) == [NEW]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (name.lower() in path.read_text().lower()) is not hashed


def test_a_last_line_without_an_end_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"one {OLD}")
    path.chmod(0o644)
    known_hosts_file.append(path, [f"two {NEW}", f"three {OTHER}"])
    assert path.read_text() == f"one {OLD}\ntwo {NEW}\nthree {OTHER}\n"
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("hashed", [False, True])
def test_a_key_is_replaced_and_nothing_else_changes(tmp_path: Path, hashed: bool) -> None:
    path = tmp_path / "known_hosts"
    path.symlink_to(tmp_path / "real")
    kept = [
        "# a note about h1",
        "",
        f"@cert-authority h1 {OTHER}",
        f"@revoked h1 {OTHER}",
        f"h* {OTHER}",
        known_hosts_file.entry("h2", OTHER, hashed=True),
        f"h2,h3 {OTHER} text that says h1",
        "h1",
    ]
    gone = [f"h1 {OLD}", known_hosts_file.entry("h1", OLD, hashed=True)]
    shared = f"other,H1,192.0.2.9 {OLD} note"
    path.write_text("\n".join([gone[0], *kept, shared, gone[1]]) + "\n")
    known_hosts_file.replace(path, "h1", NEW, hashed=hashed)
    lines = (tmp_path / "real").read_text().splitlines()
    assert lines[:-1] == [*kept, f"other,192.0.2.9 {OLD} note"]
    assert NEW in found(path, "h1")
    assert OLD not in found(path, "h1")
    assert path.is_symlink()
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".new")] == []


def test_those_who_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"# shared\nh0 {OLD}\n")
    path.chmod(0o644)

    def add(number: int) -> None:
        for each in range(20):
            known_hosts_file.append(path, [f"a{number}-{each} {NEW}"])

    def swap(number: int) -> None:
        for _ in range(20):
            known_hosts_file.replace(path, f"h{number}", NEW)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(f, n) for f in (add, swap) for n in range(4)]:
            done.result()
    added = {f"a{n}-{each} {NEW}" for n in range(4) for each in range(20)}
    assert set(path.read_text().splitlines()) == {
        "# shared",
        *added,
        *(f"h{n} {NEW}" for n in range(4)),
    }
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["known_hosts"]


def test_a_file_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OrchError, match="file exists"):
        known_hosts_file.append(tmp_path / "file" / "known_hosts", ["x"])
    with pytest.raises(OrchError, match="no such file"):
        known_hosts_file.replace(tmp_path / "none", "h1", NEW)
