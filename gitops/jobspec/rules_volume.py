"""Rules of the volumes that a group claims and of where its tasks see them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.jobspec.decode import Path
from planner.job import Job, TaskGroup, VolumeMount, VolumeRequest

Finding = tuple[Path, tuple[str, str]]

_READ_ONLY = ("single-node-reader-only", "multi-node-reader-only")
_HOST_MODES = (
    "",
    "single-node-reader-only",
    "single-node-writer",
    "single-node-single-writer",
    "single-node-multi-writer",
)
_CSI_MODES = (
    "single-node-reader-only",
    "single-node-writer",
    "multi-node-reader-only",
    "multi-node-single-writer",
    "multi-node-multi-writer",
)
_ATTACHMENTS = ("file-system", "block-device")
_PROPAGATION = ("", "private", "host-to-task", "bidirectional")
_SYSTEM = ("system", "sysbatch")


def volume_findings(job: Job, group: TaskGroup, path: Path) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for what is wrong with volumes and their mounts."""
    for name, volume in group.volumes.items():
        where = (*path, "Volumes", name)
        if volume.type not in ("host", "csi"):
            yield where, (f'Invalid volume type "{volume.type}"', "Known are host and csi.")
            continue
        if not volume.source:
            yield where, ("The volume has no source", 'Write source = "name".')
        yield from _per_alloc(job, group, volume, where)
        yield from _host(volume, where) if volume.type == "host" else _csi(group, volume, where)
        if volume.access_mode in _READ_ONLY and not volume.read_only:
            detail = f"Its access mode is {volume.access_mode}."
            yield where, ("The volume must be read-only", f"Write read_only = true. {detail}")
    for k, task in enumerate(group.tasks):
        for i, mount in enumerate(task.volume_mounts):
            yield from _mount(group, mount, (*path, "Tasks", k, "VolumeMounts", i))


def _per_alloc(job: Job, group: TaskGroup, volume: VolumeRequest, path: Path) -> Iterator[Finding]:
    if not volume.per_alloc:
        return
    canaries = group.update.canary if group.update else 0
    for wrong, what in (
        (job.type in _SYSTEM, f"in a {job.type} job"),
        (canaries > 0, "with canaries"),
        (volume.sticky, "with sticky"),
    ):
        if wrong:
            yield (*path, "PerAlloc"), (f"per_alloc {what}", "Remove one of them.")


def _host(volume: VolumeRequest, path: Path) -> Iterator[Finding]:
    if volume.access_mode not in _HOST_MODES:
        known = ", ".join(m for m in _HOST_MODES if m)
        summary = f'Invalid access mode "{volume.access_mode}" of a host volume'
        yield (*path, "AccessMode"), (summary, f"Known are {known}.")
    if volume.attachment_mode not in ("", "file-system"):
        summary = f'Invalid attachment mode "{volume.attachment_mode}" of a host volume'
        yield (*path, "AttachmentMode"), (summary, "Remove it.")
    if volume.mount_options:
        yield (*path, "MountOptions"), ("mount_options of a host volume", "Remove the block.")


def _csi(group: TaskGroup, volume: VolumeRequest, path: Path) -> Iterator[Finding]:
    if volume.access_mode not in _CSI_MODES:
        summary = f'Invalid access mode "{volume.access_mode}"'
        yield (*path, "AccessMode"), (summary, f"Known are {', '.join(_CSI_MODES)}.")
    if volume.attachment_mode not in _ATTACHMENTS:
        summary = f'Invalid attachment mode "{volume.attachment_mode}"'
        yield (*path, "AttachmentMode"), (summary, f"Known are {', '.join(_ATTACHMENTS)}.")
    elif volume.attachment_mode == "block-device" and volume.mount_options:
        yield (*path, "MountOptions"), ("mount_options of a block device", "Remove the block.")
    if group.count <= 1 or volume.per_alloc:
        return
    if volume.access_mode.startswith("single-node-"):
        detail = f"The group has {group.count} allocations. Write per_alloc = true."
        yield (*path, "AccessMode"), (f"{volume.access_mode} with more than one allocation", detail)
    elif volume.access_mode == "multi-node-single-writer" and not volume.read_only:
        detail = f"The group has {group.count} allocations. Write read_only or per_alloc = true."
        yield (*path, "AccessMode"), ("More than one writer", detail)


def _mount(group: TaskGroup, mount: VolumeMount, path: Path) -> Iterator[Finding]:
    if mount.volume not in group.volumes and "${" not in mount.volume:
        detail = "It names a volume block of the group."
        yield path, (f'There is no volume "{mount.volume}"', detail)
    mode = mount.propagation_mode
    if mode not in _PROPAGATION and "${" not in mode:
        detail = f"Known are {', '.join(m for m in _PROPAGATION if m)}."
        yield (*path, "PropagationMode"), (f'Invalid propagation_mode "{mode}"', detail)
    if mount.selinux_label not in ("", "z", "Z"):
        summary = f'Invalid selinux_label "{mount.selinux_label}"'
        yield (*path, "SELinuxLabel"), (summary, 'It is "z" or "Z".')
