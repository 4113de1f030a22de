"""The version of this orch."""

VERSION = "0.1.0"
