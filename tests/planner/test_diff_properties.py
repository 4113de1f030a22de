"""What holds for the diff of any two jobs: it is empty, complete, and can be read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from hypothesis import Phase, given, settings

from gitops.view.diff_text import diff_lines
from planner.diff import job_diff
from planner.difference import DiffType, FieldDiff, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff
from planner.job import Job
from tests.gitops.view.diff_reading import read_diff
from tests.planner.random_jobs import JOBS

# Examples are large: one that fails is shown as it is found.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
EXAMPLES = settings(max_examples=25, deadline=None, phases=PHASES)
Diff = JobDiff | TaskGroupDiff | TaskDiff | ObjectDiff


@dataclass
class Content:
    """What is shown of a job or a part of it: values by name, and the parts inside."""

    name: str
    fields: Counter[tuple[str, str]]
    parts: list[Content]

    def frozen(self) -> object:
        """A value that is equal for equal content, in whatever order."""
        parts = Counter(p.frozen() for p in self.parts)
        return self.name, frozenset(self.fields.items()), frozenset(parts.items())


def _parts(diff: Diff) -> Iterator[ObjectDiff | TaskGroupDiff | TaskDiff]:
    yield from diff.objects
    if isinstance(diff, JobDiff):
        yield from diff.task_groups
    if isinstance(diff, TaskGroupDiff):
        yield from diff.tasks


def _name(diff: Diff) -> str:
    return f"{type(diff).__name__} {diff.id if isinstance(diff, JobDiff) else diff.name}"


def _kind(part: Diff) -> DiffType:
    """The kind of a part; one that is called added, yet holds old values, was there before."""
    if part.type is DiffType.ADDED and _values(part.fields, old=True):
        return DiffType.EDITED
    if part.type is DiffType.DELETED and _values(part.fields, old=False):
        return DiffType.EDITED
    return part.type


def _values(fields: Iterable[FieldDiff], *, old: bool) -> Counter[tuple[str, str]]:
    pairs = ((f.name, f.old if old else f.new) for f in fields)
    return Counter(p for p in pairs if p[1])


def _side(diff: Diff, *, old: bool) -> Content:
    """One side of a diff as content; what is not on that side is left out."""
    missing = DiffType.ADDED if old else DiffType.DELETED
    inner = [_side(p, old=old) for p in _parts(diff) if _kind(p) is not missing]
    return Content(_name(diff), _values(diff.fields, old=old), inner)


def content(job: Job) -> Content:
    """Everything that a diff shows of a job."""
    return _side(job_diff(None, job), old=False)


def applied(before: Content, diff: Diff) -> Content | None:
    """The content after a change; None where the change is not one of this content."""
    old, new = _values(diff.fields, old=True), _values(diff.fields, old=False)
    if before.name != _name(diff) or old - before.fields:
        return None
    parts = list(before.parts)
    for part in _parts(diff):
        if _kind(part) is DiffType.ADDED:
            parts.append(_side(part, old=False))
            continue
        for found in parts:
            after = applied(found, part)
            if after is not None:
                parts.remove(found)
                parts += [after] if _kind(part) is not DiffType.DELETED else []
                break
        else:
            return None
    return Content(before.name, before.fields - old + new, parts)


@EXAMPLES
@given(JOBS)
def test_a_job_does_not_differ_from_itself(job: Job) -> None:
    diff = job_diff(job, replace(job))
    assert (diff.type, diff.fields, diff.objects) == (DiffType.NONE, (), ())
    for group in diff.task_groups:
        assert (group.type, group.fields, group.objects) == (DiffType.NONE, (), ())
        assert all(not t.fields and not t.objects for t in group.tasks)


@EXAMPLES
@given(JOBS, JOBS)
def test_the_diff_applied_to_the_old_job_gives_the_new_one(old: Job, new: Job) -> None:
    after = applied(content(old), job_diff(old, new))
    assert after is not None
    assert after.frozen() == content(new).frozen()


@EXAMPLES
@given(JOBS, JOBS)
def test_there_and_back_is_the_same_difference_turned_round(old: Job, new: Job) -> None:
    there, back = job_diff(old, new), job_diff(new, old)
    assert there.type is back.type
    assert {(f.name, f.old, f.new) for f in there.fields} == {
        (f.name, f.new, f.old) for f in back.fields
    }
    assert [g.name for g in there.task_groups] == [g.name for g in back.task_groups]


@EXAMPLES
@given(JOBS, JOBS)
def test_the_printed_diff_reads_back_as_the_diff(old: Job, new: Job) -> None:
    diff = job_diff(old, new)
    assert read_diff(diff_lines(diff, verbose=True)) == diff
