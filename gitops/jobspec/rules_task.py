"""Rules of a task: resources, logs, templates, artifacts, lifecycle. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from gitops.jobspec.decode import Path
from gitops.jobspec.rules_placement import placement_findings
from gitops.jobspec.rules_policy import restart_findings
from gitops.jobspec.rules_special import special_findings
from planner.job import Artifact, Job, LogConfig, Resources, Task, TaskGroup, Template

Finding = tuple[Path, tuple[str, str]]

_MIN_MEMORY = 10
_HASH_SIZES = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_CHANGE_MODES = ("noop", "restart", "signal", "script")


def task_findings(job: Job, group: TaskGroup, task: Task, path: Path) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for everything that is wrong with a task."""
    yield from _shape(task, path)
    yield from _times(job, group, task, path)
    yield from placement_findings(task, path, "task")
    yield from _resources(task.resources, (*path, "Resources"))
    yield from _logs(task.log_config, group.ephemeral_disk.size_mb, (*path, "LogConfig"))
    if task.restart_policy != group.restart_policy:
        yield from restart_findings(task.restart_policy, (*path, "RestartPolicy"))
    yield from special_findings(task, path)
    yield from _templates(task, path)
    for i, artifact in enumerate(task.artifacts):
        yield from _artifact(artifact, (*path, "Artifacts", i))


def _shape(task: Task, path: Path) -> Iterator[Finding]:
    if not task.name or task.name == "alloc" or any(c in task.name for c in "/\\\0"):
        detail = 'It is not empty, not "alloc", and has no slash.'
        yield path, (f'Invalid task name "{task.name}"', detail)
    if not task.driver:
        yield path, ("The task has no driver", 'Write driver = "docker", or raw_exec, exec, ….')
    if task.lifecycle and task.lifecycle.hook not in ("prestart", "poststart", "poststop"):
        detail = "Known are prestart, poststart, poststop."
        yield (*path, "Lifecycle", "Hook"), (f'Invalid hook "{task.lifecycle.hook}"', detail)
    payload = str(task.dispatch_payload.get("File") or "")
    if _escapes(payload):
        yield (*path, "DispatchPayload"), ("The file lies outside the task", "Use a plain name.")


def _times(job: Job, group: TaskGroup, task: Task, path: Path) -> Iterator[Finding]:
    if task.kill_timeout < 0:
        yield (*path, "KillTimeout"), ("Invalid kill_timeout", "It is 0 or more.")
    if task.shutdown_delay < 0:
        yield (*path, "ShutdownDelay"), ("Invalid shutdown_delay", "It is 0 or more.")
    deadline = group.update.progress_deadline if group.update else 0
    if job.type == "service" and 0 < deadline < task.kill_timeout:
        detail = "A rollout would fail before the old task has ended."
        yield (*path, "KillTimeout"), ("kill_timeout is longer than progress_deadline", detail)


def _resources(resources: Resources, path: Path) -> Iterator[Finding]:
    if resources.cores < 0:
        yield (*path, "Cores"), (f"Invalid cores {resources.cores}", "It is 0 or more.")
    elif resources.cores and resources.cpu:
        yield (*path, "CPU"), ("cpu together with cores", "Remove one of them.")
    elif not resources.cores and resources.cpu < 1:
        yield (*path, "CPU"), (f"Invalid cpu {resources.cpu}", "It is 1 MHz or more.")
    if resources.memory_mb < _MIN_MEMORY:
        detail = f"It is {_MIN_MEMORY} MB or more."
        yield (*path, "MemoryMB"), (f"Invalid memory {resources.memory_mb}", detail)
    if resources.memory_max_mb not in (-1, 0) and resources.memory_max_mb < resources.memory_mb:
        detail = "It is at least memory, or -1 for no limit."
        yield (*path, "MemoryMaxMB"), (f"Invalid memory_max {resources.memory_max_mb}", detail)
    if not 0 <= resources.secrets_mb <= resources.memory_mb:
        yield (*path, "SecretsMB"), (f"Invalid secrets {resources.secrets_mb}", "0 to memory.")
    if resources.disk_mb:
        detail = "Write the size in the group's ephemeral_disk block."
        yield (*path, "DiskMB"), ("disk is no longer a resource", detail)


def _logs(logs: LogConfig, disk: int, path: Path) -> Iterator[Finding]:
    for name, value in (("MaxFiles", logs.max_files), ("MaxFileSizeMB", logs.max_file_size_mb)):
        if value < 1:
            yield (*path, name), (f"Invalid value {value}", "It is 1 or more.")
    total = logs.max_files * logs.max_file_size_mb
    if total >= disk:
        detail = f"They take up to {total} MB of the {disk} MB of the ephemeral disk."
        yield path, ("The logs are not smaller than the disk", detail)


def _templates(task: Task, path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for i, template in enumerate(task.templates):
        where = (*path, "Templates", i)
        yield from _template(template, where)
        if template.dest_path in seen:
            summary = f'A second template for "{template.dest_path}"'
            yield (*where, "DestPath"), (summary, "Each has a destination of its own.")
        seen.add(template.dest_path)


def _template(template: Template, path: Path) -> Iterator[Finding]:
    if bool(template.source_path) == bool(template.embedded_tmpl):
        yield path, ("Either source or data is needed", "Exactly one of them is the template.")
    if not template.dest_path:
        yield path, ("The template has no destination", 'Write destination = "local/…".')
    elif _escapes(template.dest_path):
        detail = "The destination lies within the task's directory."
        yield (*path, "DestPath"), (f'Invalid destination "{template.dest_path}"', detail)
    if template.change_mode not in _CHANGE_MODES:
        detail = f"Known are {', '.join(_CHANGE_MODES)}."
        yield (*path, "ChangeMode"), (f'Invalid change_mode "{template.change_mode}"', detail)
    if template.envvars and template.change_mode == "signal":
        detail = "A running task does not see new variables: use restart."
        yield (*path, "ChangeMode"), ("env together with change_mode signal", detail)
    if template.change_mode == "script" and not template.change_script.get("Command"):
        yield path, ("change_script is missing", "change_mode script needs its command.")
    yield from _template_limits(template, path)


def _template_limits(template: Template, path: Path) -> Iterator[Finding]:
    if template.splay < 0:
        yield (*path, "Splay"), ("Invalid splay", "It is 0 or more.")
    low, high = template.wait.get("Min"), template.wait.get("Max")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield (*path, "Wait"), ("Invalid wait", "min is at most max.")
    if not re.fullmatch(r"[0-7]{1,4}", template.perms):
        yield (*path, "Perms"), (f'Invalid perms "{template.perms}"', 'Octal, as in "0644".')


def _artifact(artifact: Artifact, path: Path) -> Iterator[Finding]:
    if not artifact.getter_source:
        yield path, ("The artifact has no source", 'Write source = "https://…".')
    if artifact.getter_mode not in ("any", "file", "dir"):
        detail = "Known are any, file, dir."
        yield (*path, "GetterMode"), (f'Invalid mode "{artifact.getter_mode}"', detail)
    if _escapes(artifact.relative_dest):
        detail = "The destination lies within the task's directory."
        yield (*path, "RelativeDest"), (f'Invalid destination "{artifact.relative_dest}"', detail)
    checksum = artifact.getter_options.get("checksum", "")
    if checksum and "${" not in checksum and not _is_checksum(checksum):
        detail = f"Write type:hex, the type one of {', '.join(_HASH_SIZES)}."
        yield (*path, "GetterOptions"), ("Invalid checksum", detail)


def _is_checksum(text: str) -> bool:
    kind, _, digits = text.partition(":")
    return len(digits) == _HASH_SIZES.get(kind) and bool(re.fullmatch(r"[0-9a-fA-F]+", digits))


def _escapes(path: str) -> bool:
    return "${" not in path and posixpath.normpath(path.lstrip("/") or ".").split("/")[0] == ".."
