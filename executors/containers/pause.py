"""The image of the container that holds a group's network: one program that waits. Pure.

The program is written here, as the few instructions it has, so that nothing need be pulled.
"""

from __future__ import annotations

import io
import struct
import tarfile

REFERENCE = "orch/pause:1"
PROGRAM = "/pause"
_BASE = 0x400000
_HEADERS = 64 + 56

# Machine type of ELF, and a loop around a system call that waits for a signal.
_MACHINES: dict[str, tuple[int, bytes]] = {
    # mov eax, 34 (pause); syscall; jmp back
    "amd64": (0x3E, bytes.fromhex("b822000000 0f05 ebf7")),
    # mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b back
    "arm64": (
        0xB7,
        struct.pack(
            "<8I",
            *(0xD2800000 | register for register in range(5)),
            0xD2800928,
            0xD4000001,
            0x17FFFFF9,
        ),
    ),
}


def is_known(architecture: str) -> bool:
    """Whether there is such a program for that kind of machine (``amd64``)."""
    return architecture in _MACHINES


def program(architecture: str) -> bytes:
    """The program: an ELF header, one program header, and the loop."""
    machine, code = _MACHINES[architecture]
    size = _HEADERS + len(code)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    # executable, version 1, entry, program headers at 64, no sections
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    # loaded whole, to be read and executed
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return ident + header + segment + code


def archive(architecture: str) -> bytes:
    """A root file system with nothing but the program, as a tar archive."""
    data = program(architecture)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        entry = tarfile.TarInfo(PROGRAM.lstrip("/"))
        entry.mode, entry.size = 0o755, len(data)
        tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
