"""Replays recorded behaviour of Nomad through orch's own decoder and planner.

`python -m tests.oracle DIR…` takes any directory laid out as the recordings are: `cases/` with
`node.json`, `expressions/`, `placement/`. What differs on purpose is in `rules`.
"""
