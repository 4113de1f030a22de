"""Which settings count for one host: the first of each kind, in the order of the files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from executors.ssh_config.expand import Local, expanded
from executors.ssh_config.index import Index
from executors.ssh_config.options import IDLE, MISSED, PROXY, REPEATED
from executors.ssh_config.patterns import matches_list, matches_words
from executors.ssh_config.sections import Condition, Criterion, Section, Setting


@dataclass(slots=True)
class Evaluation:
    """The settings taken so far for the host that ssh would be given as `host`.

    `notes` say what was passed over, in whole sentences without a full stop.
    """

    host: str
    local: Local
    first: dict[str, Setting] = field(default_factory=dict[str, Setting])
    repeated: dict[str, list[Setting]] = field(default_factory=dict[str, list[Setting]])
    notes: dict[str, None] = field(default_factory=dict[str, None])
    final: bool = False
    asks_final: bool = False
    # what Host lines are compared with
    named: str = field(init=False)
    _held: dict[Condition, bool] = field(default_factory=dict[Condition, bool])

    def __post_init__(self) -> None:
        self.named = self.host

    def take(self, settings: Iterable[Setting]) -> None:
        """Take in settings that count: each unless an earlier one has decided the matter."""
        for setting in settings:
            name = "proxyjump" if setting.name in PROXY else setting.name
            if name in REPEATED:
                found = self.repeated.setdefault(name, [])
                if setting.words not in [s.words for s in found]:
                    found.append(setting)
            elif name not in self.first:
                self.first[name] = setting
                self._note(setting)

    def run(self, index: Index) -> None:
        """Take in all sections that mean the host; twice, where a Match waits for the end."""
        self._pass(index.sections(self.named))
        if self.asks_final:
            self.final = True
            self._held.clear()
            # by then the name is settled, and Host lines are compared with it
            self.named = self.hostname
            settled = Setting("hostname", (self.named.replace("%", "%%"),), "")
            self.first.setdefault("hostname", settled)
            self._pass(index.sections(self.named))

    @property
    def hostname(self) -> str:
        """The name or address to connect to, as far as it is settled."""
        setting = self.first.get("hostname")
        if setting is None:
            return self.host.lower()
        return expanded(setting.word, {"%": "%", "h": self.host}, setting.place).lower()

    def _pass(self, sections: Sequence[Section]) -> None:
        for section in sections:
            if all(self._holds(c) for c in section.conditions):
                self.take(section.settings)

    def _note(self, setting: Setting) -> None:
        shown = MISSED.get(setting.name)
        if shown and setting.word.lower() not in {IDLE.get(setting.name, "none"), "none"}:
            self.notes[f"{setting.place}: {shown} is not followed"] = None

    def _holds(self, condition: Condition) -> bool:
        # a line is judged where it stands: what it asks for may change further down
        if condition not in self._held:
            self._held[condition] = self._judged(condition)
        return self._held[condition]

    def _judged(self, condition: Condition) -> bool:
        if condition.names:
            return matches_words(self.named, condition.names)
        return all(self._passes(c, condition.place) for c in condition.criteria)

    def _passes(self, criterion: Criterion, place: str) -> bool:
        name = criterion.name
        if name in {"final", "canonical"}:
            self.asks_final = self.asks_final or name == "final"
            return self.final != criterion.negated
        if name == "all":
            return not criterion.negated
        value = self._value(name)
        if value is None:
            self.notes[f"{place}: Match {name} is not followed: it counts as not met"] = None
            return False
        pattern = criterion.pattern
        if name in {"host", "originalhost"}:
            value, pattern = value.lower(), pattern.lower()
        return matches_list(value, pattern) != criterion.negated

    def _value(self, name: str) -> str | None:
        if name == "host":
            return self.hostname
        if name == "user":
            return self.first["user"].word if "user" in self.first else self.local.user
        if name == "tagged":
            return self.first["tag"].word if "tag" in self.first else ""
        return {"originalhost": self.host, "localuser": self.local.user}.get(name)
