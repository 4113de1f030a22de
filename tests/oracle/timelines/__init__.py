"""Recorded timelines: the commands of a scenario, given to orch on simulated hosts and time."""
