"""Dynamic blocks: what they expand to, and what is wrong with them."""

from __future__ import annotations

import pytest

from tests.gitops.jobspec.specs import job_of, places, spec


def test_ports_from_a_map() -> None:
    text = spec(
        group='network {\ndynamic "port" {\nfor_each = { b = 2, a = 1 }\niterator = it\n'
        "labels = [it.key]\ncontent {\nstatic = it.value\n}\n}\n}"
    )
    ports = job_of(text).task_groups[0].networks[0].reserved_ports
    assert [(p.label, p.value) for p in ports] == [("a", 1), ("b", 2)]


def test_blocks_without_a_form_expand_too() -> None:
    text = spec(
        task='config {\ndynamic "mount" {\nfor_each = ["x", "y"]\n'
        "content {\ntarget = mount.value\nn = mount.key\n}\n}\n}"
    )
    config = job_of(text).task_groups[0].tasks[0].config
    assert config == {"mount": [{"target": "x", "n": 0}, {"target": "y", "n": 1}]}


WRONG = {
    "for_each = [1]": "Invalid dynamic block",
    "content {\n}": '"for_each" is missing',
    "for_each = [1]\nlabel = 1\ncontent {\n}": 'Unknown argument "label" in dynamic',
    "for_each = [1]\nother {\n}": "Invalid dynamic block",
    'for_each = [1]\niterator = "x"\ncontent {\n}': "Invalid iterator",
    "for_each = [1]\nlabels = 1\ncontent {\n}": "Invalid labels",
    "for_each = [1]\nlabels = [[]]\ncontent {\n}": "Invalid labels",
    "for_each = true\ncontent {\n}": "Not a collection",
    "for_each = var.x\ncontent {\n}": 'There is no variable "x"',
}


@pytest.mark.parametrize(("lines", "summary"), WRONG.items())
def test_wrong(lines: str, summary: str) -> None:
    found = places(spec(group=f'dynamic "constraint" {{\n{lines}\n}}'))
    assert [p[2] for p in found] == [summary]
