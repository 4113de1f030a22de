"""A command that is suggested reads the same job files in the same way."""

from __future__ import annotations

from gitops.cli.look import flags_of
from gitops.request import SpecRequest


def test_all_that_was_said_of_variables_is_repeated() -> None:
    request = SpecRequest(
        variables=("a=b c", "key=x"), var_files=("prod vars.hcl",), rev="", strict=False
    )

    assert flags_of(request, ["key"]) == (
        "-var='a=b c'",
        "-var='key=(sensitive)'",
        "-var-file='prod vars.hcl'",
        "-hcl2-strict=false",
    )
    assert flags_of(SpecRequest()) == ()
