"""The program that holds a network: whole, tiny, and waiting."""

from __future__ import annotations

import io
import platform
import subprocess
import tarfile
from pathlib import Path

import pytest

from executors.containers import pause


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_an_archive_holds_one_elf_program(architecture: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(pause.archive(architecture))) as tar:
        (entry,) = tar.getmembers()
        file = tar.extractfile(entry)
        assert file is not None
        data = file.read()
    assert (entry.name, entry.mode) == ("pause", 0o755)
    assert data[:4] == b"\x7fELF"
    assert len(data) < 200


def test_other_machines_are_not_known() -> None:
    assert not pause.is_known("riscv64")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="for this kind of machine")
def test_the_program_waits_until_it_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(pause.program("amd64"))
    program.chmod(0o755)
    with subprocess.Popen([program]) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        process.kill()
