"""What tasks ask of drivers that these do not know is a warning with its place."""

from __future__ import annotations

import pytest

from gitops.jobspec.load import load
from tests.gitops.jobspec.specs import NONE, spec


def doubts(driver: str, config: str = "", task: str = "") -> list[tuple[int, str]]:
    text = spec(task=f"config {{\n{config}\n}}\n{task}").replace("raw_exec", driver)
    return [(d.line, d.summary) for d in load(text, path="x", variables=NONE).warnings]


def test_sound_configs_raise_no_doubt() -> None:
    assert doubts("docker", 'image = "x"\nauth {\nusername = "x"\n}\nport_map {\na = 1\n}') == []
    assert doubts("raw_exec", 'command = "x"\nargs = [1, true]') == []


WRONG = [
    ("docker", 'imag = "x"', (8, 'Config of docker: the argument "image" is required')),
    ("docker", 'image = 5\nimag = "x"', (10, 'no argument is named "imag"; did you mean "image"?')),
    ("docker", 'image = "x"\nauth {\nusename = "x"\n}', (11, 'did you mean "username"?')),
    ("docker", 'image = "x"\nprivileged = "often"', (10, '"privileged" is true or false')),
    ("raw_exec", 'cmd = "x"', (9, 'no argument is named "cmd"; did you mean "command"?')),
    ("exec", 'command = "x"\ncap_ad = []', (10, 'did you mean "cap_add"?')),
    ("exec", 'command = "x"\npid_mode = "shared"', (10, '"pid_mode" is "private" or "host"')),
    ("java", 'jvm_options = ["-x"]', (8, 'either "jar_path" or "class" is required')),
    ("java", 'jar_path = "x"\nargs = "y"', (10, '"args" is a list of strings')),
    ("qemu", 'image_path = "x"\nport_maps {\n}', (10, 'did you mean "port_map"?')),
]


@pytest.mark.parametrize(("driver", "config", "expected"), WRONG)
def test_wrong_keys_are_told_at_their_places(
    driver: str, config: str, expected: tuple[int, str]
) -> None:
    line, words = expected

    assert any(at == line and words in summary for at, summary in doubts(driver, config))


def test_drivers_and_signals_that_no_node_knows_are_told() -> None:
    assert (7, 'No node runs the driver "dokcer"') in doubts("dokcer")
    assert (7, 'No node runs the driver "exec" yet') in doubts("exec", 'command = "x"')
    assert doubts("raw_exec", 'command = "x"', 'kill_signal = "SIGTREM"') == [
        (11, 'Unknown signal "SIGTREM"')
    ]
