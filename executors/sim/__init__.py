"""Simulated hosts on virtual time: everything of a fleet as values, no host touched."""
