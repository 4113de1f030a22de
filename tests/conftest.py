"""What every test may ask for."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.lab.fixtures"]

# A busy machine is no failure.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
