"""Programs of the repository around an apply: what they get, and what their ends mean."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gitops.view.formats import FORMATS
from tests.cli.place import Place, job

APPLY = ("apply", "-auto-approve")
NOTES = """\
#!/bin/sh
cat >"../$ORCH_HOOK.json"
env | grep -E '^(ORCH|NOMAD)_' >"../$ORCH_HOOK.env"
echo "hello from $ORCH_HOOK"
"""


@pytest.fixture
def hook(place: Place) -> Callable[[str, str], None]:
    """Commit a hook; the job that is to be applied runs nothing."""
    place.commit("jobs/none.nomad.hcl", job("none", group="count = 0"))

    def commit(name: str, text: str) -> None:
        place.write(f"hooks/{name}", text)
        (place.clone / "hooks" / name).chmod(0o755)
        place.git("add", "hooks")
        place.git("commit", "-qm", f"Add {name}")

    return commit


def test_hooks_get_the_plan_and_how_it_ended(
    place: Place, hook: Callable[[str, str], None]
) -> None:
    for name in ("pre-apply", "post-apply", "on-failure"):
        hook(name, NOTES)
    place.environment |= {"ORCH_KEY": "k" * 40, "ORCH_VAR_x": "secret"}
    assert place.orch("plan").code == 0
    assert list(place.root.glob("*.json")) == []
    said = place.orch(*APPLY)
    assert said.code == 0, said
    assert "hooks/pre-apply: hello from pre-apply\n" in said.err
    assert "hello" not in said.out
    before, after = (
        json.loads((place.root / f"{name}.json").read_text())
        for name in ("pre-apply", "post-apply")
    )
    assert before["format_version"] == FORMATS["plan"]
    assert [j["ID"] for j in before["jobs"] if j["Registers"]] == ["none"]
    assert [(o["Job"], o["Outcome"]) for o in after["Outcomes"]] == [("none", "done")]
    given = (place.root / "post-apply.env").read_text()
    assert f"ORCH_COMMIT={place.git('rev-parse', 'HEAD')}" in given
    assert "ORCH_EXIT_CODE=0\n" in given
    assert "ORCH_KEY" not in given
    assert "ORCH_VAR_x" not in given
    assert not (place.root / "on-failure.json").exists()


def test_a_hook_that_refuses_keeps_everything_as_it_is(
    place: Place, hook: Callable[[str, str], None]
) -> None:
    hook("pre-apply", "#!/bin/sh\necho 'frozen until Monday'\nexit 7\n")
    before = place.print_of()
    said = place.orch(*APPLY)
    assert said.code == 1
    assert "hooks/pre-apply: frozen until Monday\n" in said.err
    assert "does not let this be applied (exit code 7); nothing was touched" in said.err
    assert place.print_of() == before
    assert place.orch(*APPLY, "-no-hooks").code == 0


def test_an_incomplete_apply_is_a_failure(place: Place, hook: Callable[[str, str], None]) -> None:
    hook("on-failure", NOTES)
    picky = 'constraint {\n attribute = "${attr.kernel.name}"\n value = "plan9"\n}'
    place.commit("jobs/none.nomad.hcl", job("none", group=picky))
    assert place.orch(*APPLY).code == 4
    assert "ORCH_EXIT_CODE=4\n" in (place.root / "on-failure.env").read_text()
    assert place.orch("stop", "-yes", "none").code == 0


@pytest.mark.parametrize(
    ("mode", "committed", "words"),
    [
        (0o644, True, "hooks/pre-apply is not executable; nothing was touched"),
        (0o755, False, "hooks has changes that are not committed; nothing was touched"),
    ],
)
def test_hooks_that_do_not_run(place: Place, mode: int, committed: bool, words: str) -> None:
    place.write("hooks/pre-apply", NOTES)
    (place.clone / "hooks/pre-apply").chmod(mode)
    if committed:
        place.git("add", "hooks")
        place.git("commit", "-qm", "Add a hook")
    said = place.orch(*APPLY)
    assert said.code == 1
    assert words in said.err


def test_much_output_is_cut_and_no_terminal_is_steered(
    place: Place, hook: Callable[[str, str], None]
) -> None:
    hook("pre-apply", "#!/bin/sh\nprintf '\\033[2Jx\\n'\nhead -c 300000 /dev/zero | tr '\\0' y\n")
    said = place.orch(*APPLY)
    assert said.code == 0, said.err[-500:]
    assert "\x1b" not in said.err
    assert "hooks/pre-apply: … and more, which is not shown\n" in said.err
    assert len(said.err) < 200_000
