"""Where the desired state comes from. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the desired state was read: a commit, and a digest of the files as read."""

    repository: str = ""
    commit: str = ""
    dirty: bool = False
    digest: str = ""
