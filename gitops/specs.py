"""Job specs as desired state: which files are read, with which variables, at which commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec import marks
from gitops.jobspec.places import Places, unknown_places
from gitops.jobspec.spec import LoadedSpec
from gitops.jobspec.variables import Variables
from gitops.repo import Desired as Read
from gitops.repo import RepositoryError, SourceFile, Wanted, read_named, read_source
from gitops.request import SpecRequest
from gitops.sealing import Sealed, Sealer, Vault
from gitops.spec_files import SpecFiles
from gitops.workspace import Workspace
from planner.codec import to_json
from planner.errors import OrchError, reason
from planner.job_key import job_key
from planner.source import Source

if TYPE_CHECKING:
    from gitops.planning import Desired
    from planner.recorded import JobVersion


class NoSpecsError(OrchError):
    """The repository has no job specs at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The specs as loaded, where they come from, and warnings about them."""

    loaded: tuple[LoadedSpec, ...]
    source: Source = field(default_factory=Source)
    whole: bool = True
    vault: Vault = field(default_factory=Vault)
    targets: tuple[str, ...] = ()

    @property
    def sensitive(self) -> frozenset[str]:
        """The names of variables whose values are not to be shown."""
        return frozenset(name for s in self.loaded for name in s.sensitive)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings of all files."""
        return tuple(w for s in self.loaded for w in s.warnings)

    def desired(self) -> Desired:
        """The specs as the planner takes them."""
        from gitops.planning import Desired

        return Desired(
            jobs=tuple((s.path, s.job) for s in self.loaded),
            source=self.source,
            whole=self.whole,
            warnings={
                job_key(s.job.id, s.job.namespace): tuple(w.summary for w in s.warnings)
                for s in self.loaded
                if s.warnings
            },
            vault=self.vault,
            sensitive=self.sensitive,
            targets=self.targets,
        )


def read_specs(workspace: Workspace, request: SpecRequest, *, sourced: bool = True) -> Specs:
    """Read and evaluate the job specs. Raises `SpecErrors` with every problem of every file.

    Named files must lie in the repository too: what runs must be what a commit can say. Where it
    need not be `sourced`, only they are read, and what else there is in the repository is not told.
    """
    variables = variables_of(workspace, request)
    read = _read(workspace, request, sourced=sourced)
    files = _chosen(workspace, request, read)
    sealer = sealer_of(workspace)
    where = _spec_files(workspace, request, read)
    evaluated = _load(workspace, files, variables, (sealer, where))
    loaded, vault = _sealed(sealer, evaluated)
    if not loaded:
        raise NoSpecsError(
            f"no job specs in {', '.join(workspace.config.jobs)}",
            f"Add {workspace.config.jobs[0]}/NAME.nomad.hcl, or correct 'jobs' in orch.toml.",
        )
    _check_places(workspace, loaded)
    reads = (r for s in loaded for r in s.reads)
    source = where.source(read.source, reads) if sourced else read.source
    return Specs(
        loaded=loaded,
        source=source,
        whole=not request.files,
        vault=vault,
        targets=request.targets,
    )


def _spec_files(workspace: Workspace, request: SpecRequest, read: Read) -> SpecFiles:
    """Return where the expressions of the specs read files."""
    top = read.top.resolve()
    paths = {name: (workspace.cwd / name).resolve() for name in request.files}
    named = {n: p.relative_to(top).as_posix() for n, p in paths.items() if p.is_relative_to(top)}
    return SpecFiles(read.top, read.source.commit if request.rev else "", named)


def sealer_of(workspace: Workspace) -> Sealer:
    """Return what makes the marks for sensitive values; its key is ``ORCH_KEY``."""
    config = workspace.config
    key = workspace.environment.get("ORCH_KEY", "")
    return Sealer(key=key, cluster=config.cluster, patterns=config.sensitive)


def _sealed(sealer: Sealer, loaded: Sequence[LoadedSpec]) -> tuple[tuple[LoadedSpec, ...], Vault]:
    """Return the specs with marks for all that is sensitive, and the values by job."""
    found = [Sealed(s.job) if s.kept else sealer.sealed(s.job, s.secrets) for s in loaded]
    specs = tuple(
        replace(s, job=f.job, secrets=f.values) if f.values else s
        for s, f in zip(loaded, found, strict=True)
    )
    values = {job_key(f.job.id, f.job.namespace): f.values for f in found if f.values}
    return specs, Vault(values)


def vault_of(workspace: Workspace, version: JobVersion) -> Vault:
    """Return the sensitive values of a recorded job, which its record does not have.

    They come from its spec at the commit that it was applied from, with the variables of the
    environment; if that is not to be had, or says something else by now, there are none.
    """
    if not marks.found_in(json.dumps(to_json(version.job))):
        return Vault()
    key = job_key(version.job.id, version.job.namespace)
    try:
        specs = read_specs(workspace, SpecRequest(rev=version.commit))
    except OrchError:
        return Vault()
    same = any(s.job == version.job for s in specs.loaded)
    return Vault({key: specs.vault.jobs[key]}) if same and key in specs.vault.jobs else Vault()


def read_parsed(workspace: Workspace, request: SpecRequest) -> dict[str, object]:
    """Read the one named job file as the API takes a job, with no defaults filled in.

    Raises `SpecErrors` where it can't be parsed.
    """
    from gitops.jobspec.cache import use_grammar
    from gitops.jobspec.load import parsed

    variables = variables_of(workspace, request)
    read = _read(workspace, request, sourced=False)
    file = _chosen(workspace, request, read)[0]
    where = _spec_files(workspace, request, read)
    use_grammar(workspace.cache / "specs")
    return parsed(file.text, path=file.path, variables=variables, folder_of=where.folder_of)


def _load(
    workspace: Workspace,
    files: Sequence[SourceFile],
    variables: Variables,
    means: tuple[Sealer, SpecFiles],
) -> tuple[LoadedSpec, ...]:
    from gitops.jobspec.cache import Cache, load_all

    sealer, where = means
    cache = Cache(
        workspace.cache / "specs",
        digest_of=where.digest_of,
        folder_of=where.folder_of,
        keeps=lambda spec: not sealer.finds(spec.job),
        rules=repr(sealer.patterns),
    )
    return load_all({f.path: f.text for f in files}, variables, cache)


def _read(workspace: Workspace, request: SpecRequest, *, sourced: bool) -> Read:
    if request.files and not request.rev and not sourced:
        paths = (workspace.cwd / name for name in request.files)
        return read_named(workspace.root, (p.resolve() for p in paths))
    others = (workspace.root / "orch.toml", *workspace.inventory_places)
    wanted = Wanted(
        root=workspace.root,
        jobs=(*workspace.config.jobs, *(str(workspace.cwd / f) for f in request.files)),
        others=tuple(str(p) for p in others),
        rev=request.rev,
        repository=workspace.config.repository,
    )
    return read_source(wanted)


def _chosen(workspace: Workspace, request: SpecRequest, read: Read) -> Sequence[SourceFile]:
    if not request.files:
        return [f for _, f in sorted(read.files.items())]
    return [_named(workspace, name, request, read) for name in request.files]


def _named(workspace: Workspace, name: str, request: SpecRequest, read: Read) -> SourceFile:
    path = (workspace.cwd / name).resolve()
    if not request.rev and not path.is_file():
        if path.is_dir():
            hint = "Name job files; without any, all that `jobs` in orch.toml names are taken."
            raise OrchError(f"{name}: a folder, not a job file", hint)
        raise OrchError(f"{name}: no such job file", "Name a file that exists.")
    top = read.top.resolve()
    if not path.is_relative_to(top):
        raise RepositoryError(
            f"{name}: not in the repository {top}",
            "Move it into the repository; what runs must be what a commit says.",
        )
    inside = path.relative_to(top).as_posix()
    found = read.files.get(inside)
    if found is not None:
        return replace(found, path=name)
    if request.rev:
        raise OrchError(f"{name}: not in commit {request.rev}", "Name a file of that commit.")
    return _unlisted(path, name)


def _unlisted(path: Path, name: str) -> SourceFile:
    """Read a named file that is no job spec by its name, or that Git ignores."""
    try:
        return SourceFile(path=name, text=path.read_text(encoding="utf-8"), blob="")
    except (OSError, UnicodeDecodeError) as e:
        raise OrchError(f"{name}: {reason(e)}", "A job file is readable UTF-8 text.") from e


def variables_of(workspace: Workspace, request: SpecRequest) -> Variables:
    """Gather the HCL variables of the command line, var files and the environment."""
    flags = tuple(_flag(v) for v in request.variables)
    files = tuple((name, _var_file(workspace, name)) for name in request.var_files)
    environment = {
        k: _utf8(k, v)
        for k, v in workspace.environment.items()
        if k.startswith(("NOMAD_VAR_", "ORCH_VAR_"))
    }
    return Variables(flags=flags, files=files, environment=environment, strict=request.strict)


def _flag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise OrchError(f"-var {text!r}: no '='", "Write it as -var name=value.")
    return name, _utf8(f"-var {name}", value)


def _utf8(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise OrchError(f"{name}: not UTF-8 text", "Variables are UTF-8 text.") from e
    return value


def _var_file(workspace: Workspace, name: str) -> str:
    try:
        return (workspace.cwd / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise OrchError(
            f"-var-file {name}: {reason(e)}", "Name a readable file of variables."
        ) from e


def _check_places(workspace: Workspace, loaded: Sequence[LoadedSpec]) -> None:
    config = workspace.config
    places = Places(
        namespaces=config.namespaces, node_pools=config.node_pools, regions=config.regions
    )
    if wrong := tuple(unknown_places(loaded, places)):
        raise SpecErrors(wrong)
