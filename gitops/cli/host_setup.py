"""What `orch host setup` does: look at hosts and enrol them, or print what they are to grant."""

from __future__ import annotations

from collections.abc import Sequence

from executors.ssh_routes import Routes
from gitops.cli.asking import approve
from gitops.cli.host_checking import looked_at
from gitops.cli.look import workspace
from gitops.cli.say import note, say, say_json
from gitops.enrolment import Enrolling, Enrolment, Outcome, planned
from gitops.exit_codes import INCOMPLETE
from gitops.host_reports import drivers_of_jobs
from gitops.session import fresh_id
from gitops.ssh_setup import connector_of, routes_of
from gitops.view import enrolment_text, profile_text
from gitops.view.profile_text import Profile
from inventory.model import Host, Inventory
from planner.errors import OrchError


async def set_up(pattern: str, *, ask: bool, json: bool) -> int:
    """Enrol hosts; return 0, 1 where one was refused or failed, 4 where one was not reached."""
    if not pattern:
        raise OrchError("say which hosts: a pattern, such as web1 or all", "orch host setup all")
    ws = workspace()
    inventory = ws.inventory(pattern)
    connector = connector_of(ws, inventory)
    enrolling = Enrolling(
        connector=connector,
        cluster=ws.config.cluster,
        hosts=inventory.hosts,
        fresh_id=fresh_id,
    )
    try:
        seen = await looked_at(ws, connector, inventory, drivers=frozenset())
        wanted = [planned(report) for report in seen]
        await _approve(wanted, ask=ask, json=json)
        done = await enrolling.all(wanted, seen)
    finally:
        await connector.close()
    say_json(enrolment_text.data(done)) if json else say(enrolment_text.table(done))
    note(enrolment_text.summary(done))
    return exit_code(done)


async def _approve(wanted: Sequence[Enrolment], *, ask: bool, json: bool) -> None:
    """Show what would be done, and ask; there is nothing to ask where nothing would be."""
    planned_ones = [e for e in wanted if e.outcome is Outcome.PLANNED]
    if not planned_ones or not ask:
        return
    if not json:
        say(enrolment_text.table(planned_ones))
    await approve("Enrol these hosts?")
    if not json:
        say("")


def exit_code(done: Sequence[Enrolment]) -> int:
    """Return 1 where a host was refused or failed, 4 where one was not reached, else 0."""
    outcomes = {e.outcome for e in done}
    if outcomes & {Outcome.REFUSED, Outcome.FAILED}:
        return 1
    return INCOMPLETE if Outcome.NOT_REACHED in outcomes else 0


def show_profile(pattern: str, *, json: bool) -> None:
    """Print what hosts have to grant; none of them is asked."""
    ws = workspace()
    inventory: Inventory = ws.inventory(pattern)
    drivers = drivers_of_jobs(ws)
    docker = drivers is None or "docker" in drivers
    routes = routes_of(ws, inventory)
    found = profile_text.profiles(
        [(h.name, _profile(routes, h, docker=docker)) for h in inventory.hosts.values()]
    )
    if json:
        say_json([{"Hosts": list(p.hosts), "Script": profile_text.text([p])} for p in found])
    else:
        say(profile_text.text(found))


def _profile(routes: Routes, host: Host, *, docker: bool) -> Profile:
    return Profile(
        user=routes.route(host.name).target.user,
        become_user=host.ssh.become_user if host.ssh.become else "",
        data_dir=host.data_dir,
        docker=docker,
    )
