"""The driver docker: knows what a task's config may say. Starts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from executors.containers import keys


class Docker:
    """Runs an image as a container that the host's dockerd supervises."""

    name = "docker"

    def validate(self, config: Mapping[str, object]) -> tuple[str, ...]:
        """Return what is wrong with the config, one sentence each."""
        return tuple(keys.problems(config))
