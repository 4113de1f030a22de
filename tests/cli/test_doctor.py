"""`orch doctor`: what is wrong on this side and on hosts, with the next step of each."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.cli.place import Place, assert_fit_to_read, last


def sections(place: Place, *flags: str, code: int = 0) -> dict[str, dict[str, dict[str, Any]]]:
    """What was found, by section and name."""
    said = place.orch("doctor", "-json", *flags)
    assert said.code == code, said.out + said.err
    found = json.loads(said.out)
    return {s["Title"]: {f["Name"]: f for f in s["Findings"]} for s in found["Sections"]}


def test_all_is_well_and_nothing_is_changed(place: Place) -> None:
    before = place.print_of()
    said = place.orch("doctor")
    assert (said.code, last(said.err)) == (0, "ok")
    assert_fit_to_read(said)
    blocks = [b.splitlines() for b in said.out.split("\n\n")]
    assert [b[0] for b in blocks] == ["This machine", "Repository", "SSH", "Ledger", "Hosts"]
    assert max(len(line) for b in blocks for line in b) <= 80
    rows = {line.split("  ")[0].strip() for b in blocks for line in b[1:]}
    assert rows >= {
        *("python", "git", "caches", "cluster key", "clock", "orch.toml", "repository"),
        *("inventory", "job specs", "agent", "keys", "place", "reading", "writing", "fit"),
    }
    assert place.print_of() == before


def test_with_write_the_ledger_is_tried_and_left_as_it_was(place: Place) -> None:
    state = place.state
    writing = sections(place, "-write")["Ledger"]["writing"]
    assert writing["Detail"].startswith("tried: read, create a ref, ")
    assert place.state == state
    assert "check-" not in place.git("for-each-ref", cwd=place.ledger)


def test_outside_of_any_repository(place: Place) -> None:
    place.cwd = place.root
    said = place.orch("doctor")
    assert said.code == 1
    assert "Next steps\norch.toml:\n  Run 'orch init' to make one" in said.out


def test_every_trouble_has_its_next_step(place: Place) -> None:
    place.environment["ORCH_KEY"] = "short"
    place.write("jobs/bad.nomad.hcl", 'job "bad" {\n  group "g" {\n')
    place.environment["SSH_AUTH_SOCK"] = str(place.root / "nobody")
    found = sections(place, code=1)
    assert found["This machine"]["cluster key"]["Result"] == "warning"
    assert found["Repository"]["repository"]["Result"] == "warning"
    assert found["Repository"]["job specs"]["Result"] == "failed"
    assert "bad.nomad.hcl:" in found["Repository"]["job specs"]["Detail"]
    assert found["SSH"]["agent"]["Result"] == "warning"
    for section in found.values():
        for name, each in section.items():
            assert each["Remedy"] or each["Result"] in ("ok", "not needed"), name


def test_an_inventory_that_can_t_be_read(place: Place) -> None:
    place.inventory("all:\n  hosts: [oh\n")
    found = sections(place, code=1)
    assert found["Repository"]["inventory"]["Result"] == "failed"
    assert found["Hosts"]["hosts"]["Result"] == "not needed"


def test_a_host_that_is_away_and_a_limit_without_it(place: Place) -> None:
    text = (place.host.parent / "inventory.yml").read_text()
    gone = "\n".join(x for x in text.splitlines()[4:] if "ansible_port" not in x)
    place.inventory(f"{text}    gone:\n      ansible_port: 1\n{gone}\n")
    found = sections(place, code=1)["Hosts"]
    assert found["fit"]["Detail"] == "1 of 2"
    assert found["gone"]["Remedy"] == "orch host check"
    assert set(sections(place, "-limit", "dev")["Hosts"]) == {"fit"}
    said = place.orch("doctor", "-limit", "nobody")
    assert said.code == 1
    assert "-limit" in said.out


def test_no_host_is_fit(place: Place) -> None:
    text = (place.host.parent / "inventory.yml").read_text()
    away = [x if "ansible_port" not in x else "      ansible_port: 1" for x in text.splitlines()]
    place.inventory("\n".join(away) + "\n")
    found = sections(place, code=1)["Hosts"]
    assert set(found) == {"dev"}
    assert found["dev"]["Result"] == "failed"


def test_a_ledger_that_is_no_place(place: Place) -> None:
    shutil.rmtree(place.ledger)
    place.ledger.write_text("")
    found = sections(place, code=1)["Ledger"]
    assert found["reading"]["Result"] == "failed"
    assert "writing" not in found


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/none.git"])
def test_a_ledger_that_is_not_reached(place: Place, url: str) -> None:
    place.environment["ORCH_LEDGER_URL"] = url
    reading = sections(place, code=1)["Ledger"]["reading"]
    assert "can't be reached" in reading["Detail"]


def test_a_remote_ledger_is_rehearsed(place: Place) -> None:
    place.environment["ORCH_LEDGER_URL"] = f"file://{place.ledger}"
    assert "nothing speaks against it" in sections(place)["Ledger"]["writing"]["Detail"]
    refs = place.git("for-each-ref", cwd=place.ledger)
    assert "rehearsal" not in refs
