"""Puts marks for sensitive values into jobs, and the values back where they are needed.

A mark is a keyed hash of its job and its value: it tells whether the value has changed, and nothing
else. The key is ``ORCH_KEY``. Without one the hash is a slow one with a salt that is no secret, so
that whoever can read the ledger may still try out what a short value is.
"""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from gitops.jobspec import marks
from planner.codec import from_json, to_json
from planner.errors import OrchError
from planner.job import Artifact, Check, Job, Service, Task, TaskGroup, Template
from planner.job_key import job_key

_Part = TypeVar("_Part", Job, TaskGroup, Task, Service, Check, Artifact, Template)

# Below these keys everything is sensitive, wherever they stand.
_KEYS = ("secrets", "auth")
_ROUNDS = 20_000
# What a task, a group or a job holds under names that the user chose: field, and its name in paths.
_MAPS: Mapping[type, tuple[tuple[str, str], ...]] = {
    Job: (("meta", "meta"),),
    TaskGroup: (("meta", "meta"), ("consul", "consul")),
    Task: (
        ("env", "env"),
        ("meta", "meta"),
        ("config", "config"),
        ("vault", "vault"),
        ("consul", "consul"),
    ),
    Service: (("meta", "service.meta"), ("canary_meta", "service.canary_meta")),
    Check: (("header", "check.header"),),
    Artifact: (("getter_headers", "artifact.headers"), ("getter_options", "artifact.options")),
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A job with marks, and their values: these are nowhere but in the memory of this process."""

    job: Job
    values: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)


@dataclass(frozen=True)
class Sealer:
    """Makes the marks of one cluster. `patterns` name further paths, such as ``env.*_PASSWORD``."""

    key: str = field(repr=False)
    cluster: str
    patterns: tuple[str, ...] = ()

    @cached_property
    def key_id(self) -> str:
        """What the marks of this key begin with."""
        if not self.key:
            return marks.KEYLESS
        return hmac.new(self.key.encode(), b"orch key", hashlib.sha256).hexdigest()[:8]

    @cached_property
    def _paths(self) -> re.Pattern[str]:
        texts = [fnmatch.translate(p.lower()) for p in self.patterns]
        return re.compile("|".join(texts) or r"(?!)")

    def finds(self, job: Job) -> bool:
        """Whether something in the job is sensitive by the name it stands under."""
        return self._by_names(job, marks.Marks()) is not job

    def sealed(self, job: Job, given: Mapping[str, object]) -> Sealed:
        """Return the job with keyed marks for all that is sensitive.

        `given` are the values of marks that stand in it already.
        """
        numbered = marks.Marks(dict(given))
        named = self._by_names(job, numbered)
        if not numbered.values:
            return Sealed(job)
        keyed = {m: self._mark(job, v) for m, v in numbered.values.items()}
        data = marks.replaced(to_json(named), keyed)
        values = {keyed[m]: v for m, v in numbered.values.items()}
        return Sealed(from_json(Job, data, "job"), values)

    def _mark(self, job: Job, value: object) -> str:
        salt = f"{self.cluster}\0{job_key(job.id, job.namespace)}\0".encode()
        text = json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")
        if self.key:
            digest = hmac.new(self.key.encode(), salt + text, hashlib.sha256).hexdigest()
        else:
            digest = hashlib.pbkdf2_hmac("sha256", text, salt, _ROUNDS).hex()
        return marks.mark(self.key_id, digest[:32])

    def _by_names(self, job: Job, numbered: marks.Marks) -> Job:
        """Return the job with marks where names say so; the same job where none does."""
        found = self._with_maps(job, numbered)
        return self._with_parts(found, "task_groups", self._group, numbered)

    def _group(self, group: TaskGroup, numbered: marks.Marks) -> TaskGroup:
        found = self._with_maps(group, numbered)
        found = self._with_parts(found, "services", self._service, numbered)
        return self._with_parts(found, "tasks", self._task, numbered)

    def _task(self, task: Task, numbered: marks.Marks) -> Task:
        found = self._with_maps(task, numbered)
        found = self._with_parts(found, "services", self._service, numbered)
        found = self._with_parts(found, "artifacts", self._with_maps, numbered)
        found = self._with_parts(found, "templates", self._template, numbered)
        if found.secrets:
            secrets = cast("Any", numbered.of([dict(s) for s in found.secrets], keys=False))
            found = replace(found, secrets=tuple(secrets))
        return found

    def _service(self, service: Service, numbered: marks.Marks) -> Service:
        found = self._with_maps(service, numbered)
        return self._with_parts(found, "checks", self._with_maps, numbered)

    def _template(self, template: Template, numbered: marks.Marks) -> Template:
        if not template.embedded_tmpl or not self._names(("template", "data")):
            return template
        return replace(template, embedded_tmpl=str(numbered.of(template.embedded_tmpl)))

    def _with_parts(
        self,
        whole: _Part,
        name: str,
        each: Callable[[Any, marks.Marks], object],
        numbered: marks.Marks,
    ) -> _Part:
        old = cast("tuple[object, ...]", getattr(whole, name))
        new = tuple(each(part, numbered) for part in old)
        same = all(a is b for a, b in zip(old, new, strict=True))
        return whole if same else replace(whole, **cast("Any", {name: new}))

    def _with_maps(self, part: _Part, numbered: marks.Marks) -> _Part:
        changed: dict[str, object] = {}
        for name, path in _MAPS[type(part)]:
            old = cast("Mapping[str, object]", getattr(part, name))
            new = self._map(old, (path,), numbered) if old else old
            if new is not old:
                changed[name] = new
        return replace(part, **cast("Any", changed)) if changed else part

    def _map(
        self, old: Mapping[str, object], path: tuple[str, ...], numbered: marks.Marks
    ) -> Mapping[str, object]:
        new = {name: self._value(value, (*path, name), numbered) for name, value in old.items()}
        return old if all(new[k] is v for k, v in old.items()) else new

    def _value(self, value: object, path: tuple[str, ...], numbered: marks.Marks) -> object:
        if self._names(path):
            return value if _is_marked(value) else numbered.of(value, keys=False)
        if isinstance(value, Mapping):
            return self._map(cast("Mapping[str, object]", value), path, numbered)
        if isinstance(value, list | tuple):
            old = cast("list[object]", value)
            new = [self._value(v, path, numbered) for v in old]
            return old if all(a is b for a, b in zip(old, new, strict=True)) else new
        return value

    def _names(self, path: tuple[str, ...]) -> bool:
        return path[-1].lower() in _KEYS or bool(self._paths.match(".".join(path).lower()))


def _is_marked(value: object) -> bool:
    return isinstance(value, str) and marks.found_in(value) == [value]


def marks_in(job: Job) -> list[str]:
    """Return the marks that stand for values of the job."""
    return marks.found_in(json.dumps(to_json(job)))


def is_sealed(check: Check) -> bool:
    """Whether marks stand in a check for values of its own, without which it can't be made."""
    return bool(marks.found_in(json.dumps(to_json(check))))


@dataclass(frozen=True, slots=True)
class Vault:
    """The sensitive values that this process knows, by job and by mark."""

    jobs: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]], repr=False
    )

    def opened(self, job: Job) -> Job:
        """Return the job with its values. Raises `OrchError` where one of them is not known."""
        values = self.jobs.get(job_key(job.id, job.namespace), {})
        unknown = [m for m in marks_in(job) if m not in values]
        if unknown:
            raise OrchError(
                f"job {job.id!r} has sensitive values, which are recorded as hashes only",
                "Apply the job's file with its variables: they come from there.",
            )
        if not values:
            return job
        return from_json(Job, marks.replaced(to_json(job), values), "job")

    def opened_value(self, key: str, value: Mapping[str, object]) -> Mapping[str, object]:
        """Return a part of the job called `key` with its values, as far as they are known."""
        return cast("Mapping[str, object]", marks.replaced(value, self.jobs.get(key, {})))

    def opened_check(self, key: str, check: Check) -> Check:
        """Return a check of the job called `key` with its values.

        Raises `OrchError` where one of them is not known, or would be a word of a command: those
        can be read by everybody on its host.
        """
        if not is_sealed(check):
            return check
        data = marks.replaced(to_json(check), self.jobs.get(key, {}))
        opened = from_json(Check, data, "check")
        if check.type == "script" or is_sealed(opened):
            raise OrchError("it has sensitive values, which are not at hand for it")
        return opened

    def words(self) -> Iterable[str]:
        """Yield the values as texts, whatever they are."""
        for values in self.jobs.values():
            yield from (v if isinstance(v, str) else json.dumps(v) for v in values.values())
