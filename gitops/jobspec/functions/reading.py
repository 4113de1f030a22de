"""Functions of files: those of the repository, below the folder of the job file."""

from __future__ import annotations

import base64
import posixpath
from pathlib import Path

from gitops.jobspec.files import FileFault
from gitops.jobspec.functions.lazily import Eager
from gitops.jobspec.functions.strings import clean_path
from gitops.jobspec.scope import Scope
from gitops.jobspec.sets import set_of
from gitops.jobspec.syntax import Call, Fault
from gitops.jobspec.types import STRING
from gitops.jobspec.values import Value, ValueFault, text


def _content(scope: Scope, path: str) -> bytes:
    try:
        return scope.notes.read(scope.folder, clean_path(path))
    except FileFault as e:
        raise ValueFault(str(e)) from None


def _file(scope: Scope, node: Call, path: str) -> Value:
    try:
        return _content(scope, path).decode()
    except UnicodeDecodeError as e:
        raise ValueFault(f"{path} is not UTF-8 text (byte {e.start}); use filebase64") from None


def _filebase64(scope: Scope, node: Call, path: str) -> Value:
    return base64.b64encode(_content(scope, path)).decode("ascii")


def _fileexists(scope: Scope, node: Call, path: str) -> Value:
    try:
        return scope.notes.exists(scope.folder, clean_path(path))
    except FileFault as e:
        raise ValueFault(str(e)) from None


def _fileset(scope: Scope, node: Call, folder: str, pattern: str) -> Value:
    base = clean_path(folder)
    wanted = clean_path(posixpath.join(base, pattern))
    try:
        found = scope.notes.matching(scope.folder, wanted)
    except FileFault as e:
        raise ValueFault(str(e)) from None
    return set_of((posixpath.relpath(p, base) for p in found), STRING)


def _abspath(scope: Scope, node: Call, path: str) -> Value:
    if not path.startswith("/"):
        if not scope.folder.place:
            raise Fault(node.span, "This has no place here", "Write the whole path.")
        scope.varying(node.name, node.span)
    return clean_path(posixpath.join(scope.folder.place, path))


def _pathexpand(scope: Scope, node: Call, path: str) -> Value:
    if not path.startswith("~"):
        return path
    if path[1:2] not in ("", "/"):
        raise ValueFault("the home of another user cannot be told")
    scope.varying(node.name, node.span)
    return clean_path(str(Path.home()) + path[1:])


FUNCTIONS: dict[str, Eager] = {
    "abspath": Eager(_abspath, (text,), scoped=True),
    "file": Eager(_file, (text,), scoped=True),
    "filebase64": Eager(_filebase64, (text,), scoped=True),
    "fileexists": Eager(_fileexists, (text,), scoped=True),
    "fileset": Eager(_fileset, (text, text), scoped=True),
    "pathexpand": Eager(_pathexpand, (text,), scoped=True),
}
