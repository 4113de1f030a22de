"""The cache gives what loading gives, whatever its directory holds."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.diagnostics import SpecErrors
from gitops.jobspec import cache, kept, load
from gitops.jobspec.cache import Cache
from gitops.jobspec.spec import FileRead
from gitops.jobspec.variables import Variables
from tests.gitops.jobspec.specs import spec

FILES = {"a": spec(), "b": spec(job='id = "b"', task='resources {\nnetwork {\nport "p" {}\n}\n}')}
NONE = Variables()


def test_the_second_time_gives_the_same(tmp_path: Path) -> None:
    fresh = load.load_all(FILES, NONE)
    first = cache.load_all(FILES, NONE, Cache(tmp_path / "c"))
    second = cache.load_all(FILES, NONE, Cache(tmp_path / "c"))
    assert first == second == fresh
    assert [s.place for s in second] == [s.place for s in fresh]
    kept = list((tmp_path / "c").glob("*.json"))
    assert len(kept) == 2
    assert {stat.S_IMODE(k.stat().st_mode) for k in kept} == {0o600}


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"Job": 1}', "\0"])
def test_a_broken_entry_is_made_anew(tmp_path: Path, broken: str) -> None:
    first = cache.load_all(FILES, NONE, Cache(tmp_path))
    for entry in tmp_path.glob("*.json"):
        entry.write_text(broken, encoding="utf-8")
    assert cache.load_all(FILES, NONE, Cache(tmp_path)) == first
    assert cache.load_all(FILES, NONE, Cache(tmp_path)) == first


def test_variables_are_part_of_the_key(tmp_path: Path) -> None:
    files = {"a": spec(top='variable "n" {\ntype = number\ndefault = 1\n}', group="count = var.n")}

    def count(variables: Variables) -> int:
        return cache.load_all(files, variables, Cache(tmp_path))[0].job.task_groups[0].count

    assert count(NONE) == 1
    assert count(Variables((("n", "2"),))) == 2
    assert count(Variables(environment={"NOMAD_VAR_n": "3", "HOME": "/x"})) == 3
    assert count(Variables(files=(("v", "n = 4"),))) == 4
    assert count(NONE) == 1


def test_what_holds_among_files_is_checked_for_known_ones_too(tmp_path: Path) -> None:
    files = {"a": spec(), "b": spec()}
    for _ in range(2):
        with pytest.raises(SpecErrors, match="defined twice"):
            cache.load_all(files, NONE, Cache(tmp_path))
        with pytest.raises(SpecErrors, match="No spec declares"):
            cache.load_all(FILES, Variables((("x", "1"),)), Cache(tmp_path))


def test_a_directory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert len(cache.load_all(FILES, NONE, Cache(blocked / "c"))) == 2


def test_entries_that_were_altered_or_swapped_are_not_trusted(tmp_path: Path) -> None:
    first = cache.load_all(FILES, NONE, Cache(tmp_path))
    one, two = sorted(tmp_path.glob("*.json"))
    text = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(text.replace(b'"driver"', b'"river"').replace(b"raw_exec", b"raw_exes"))
    assert cache.load_all(FILES, NONE, Cache(tmp_path)) == first


def test_a_directory_that_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    place = tmp_path / "c"
    place.mkdir()
    place.chmod(0o770)
    assert len(cache.load_all(FILES, NONE, Cache(place))) == 2
    assert list(place.iterdir()) == []


def test_a_variable_that_no_file_holds_leaves_its_entry_alone(tmp_path: Path) -> None:
    for value in ("1", "2"):
        environment = {"NOMAD_VAR_elsewhere": value}
        cache.load_all(FILES, Variables(environment=environment), Cache(tmp_path))
    assert len(list(tmp_path.glob("*.json"))) == len(FILES)


def test_old_entries_make_room(tmp_path: Path) -> None:
    for n in range(kept.MAX_ENTRIES):
        (tmp_path / f"{n}.json").touch()
    cache.load_all(FILES, NONE, Cache(tmp_path))
    assert len(list(tmp_path.iterdir())) < kept.MAX_ENTRIES


def test_a_file_that_was_read_is_looked_at_again(tmp_path: Path) -> None:
    spec = replace(load.load_all(FILES, NONE)[0], reads=(FileRead("motd", "one"),))
    entries = kept.Kept(tmp_path)
    key = cache.key_of("a", FILES["a"], NONE)
    entries.write(key, replace(spec, job=replace(spec.job, priority=99)))

    def priority(digest: str) -> int:
        place = Cache(tmp_path, lambda _: digest)
        return cache.load_all({"a": FILES["a"]}, NONE, place)[0].job.priority

    assert priority("one") == 99
    assert priority("two") == spec.job.priority


def test_what_is_not_to_be_kept_is_not_written(tmp_path: Path) -> None:
    picky = Cache(tmp_path, keeps=lambda found: found.path != "a")
    for _ in range(2):
        assert [s.kept for s in cache.load_all(FILES, NONE, picky)] in ([False] * 2, [False, True])
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_other_rules_have_other_entries(tmp_path: Path) -> None:
    for rules in ("one", "two"):
        cache.load_all(FILES, NONE, Cache(tmp_path, rules=rules))
    assert len(list(tmp_path.glob("*.json"))) == 2 * len(FILES)


def test_a_spec_with_a_sensitive_variable_is_never_written(tmp_path: Path) -> None:
    top = 'variable "n" {\nsensitive = true\ndefault = "hunter2"\n}'
    files = {"a": spec(top=top, task="env {\nA = var.n\n}"), "b": spec(top=top, job='id = "b"')}
    cache.load_all(files, NONE, Cache(tmp_path))
    assert list(tmp_path.glob("*.json")) == []


def test_what_orch_does_not_honour_is_kept_with_its_places(tmp_path: Path) -> None:
    template = 'template {\ndata = "x"\ndestination = "local/x"\n}'
    files = {"a.nomad.hcl": spec(group='disconnect {\nlost_after = "1m"\n}', task=template)}
    where = Cache(tmp_path)
    first = cache.load_all(files, NONE, where)[0].limits

    assert [(x.name, x.place.line) for x in first] == [("disconnect", 5), ("template", 10)]
    assert cache.load_all(files, NONE, where)[0].limits == first


def test_what_is_kept_has_the_numbers_and_texts_of_what_was_evaluated(tmp_path: Path) -> None:
    odd = 'big = 1180591620717411303424\nhalf = 0.5\nwhole = 2\nyes = true\nname = "é\\u2028"'
    config = f'config {{\ncommand = "x"\nodd = {{\n{odd}\n}}\n}}'
    files = {"a.nomad.hcl": spec(task=config)}
    first, second = (cache.load_all(files, NONE, Cache(tmp_path))[0] for _ in range(2))
    assert second.kept
    assert second == first
    assert repr(second.job) == repr(first.job)
