"""What `orch alloc fs` does: find the allocation, and show what is in its directory."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from executors.alloc_files import FileRequest, Found, What, read
from executors.logs import Tail
from gitops.cli.executing import chosen
from gitops.cli.look import session, workspace
from gitops.cli.say import say, say_json
from gitops.cli.sources import data_dir
from gitops.view.files_text import file_data, file_list, file_stat


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose files, and how they are shown; with `by_job` the name is a job's."""

    name: str
    path: str = ""
    by_job: bool = False
    what: What = What.SHOW
    tail: Tail | None = None
    # sizes in bytes
    exact: bool = False
    json: bool = False


async def show(wanted: Wanted) -> None:
    """Print a directory's entries, what a file is, or its bytes as they are."""
    async with session(workspace()) as ties:
        recorded = ties.ledger.read().folded()
        alloc = chosen(wanted.name, recorded, by_job=wanted.by_job).alloc
        request = FileRequest(
            alloc_id=alloc.id,
            path=wanted.path,
            what=wanted.what,
            tail=wanted.tail,
            data_dir=data_dir(alloc.node, ties.inventory),
        )
        found = await read(await ties.connector.connect(alloc.node), request, _write)
    _tell(found, wanted)


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _tell(found: Found, wanted: Wanted) -> None:
    if found.kind == "file":
        return
    if wanted.json:
        say_json(file_data(found))
    elif found.kind == "stat":
        say(file_stat(found, exact=wanted.exact))
    else:
        say(file_list(found.entries, exact=wanted.exact))
