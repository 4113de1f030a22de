"""The version of each JSON output, by the name of its schema in docs/schema."""

from __future__ import annotations

from collections.abc import Mapping

# MAJOR.MINOR: MINOR grows with new keys and new words of an enumeration, MAJOR where a key goes
# away, or changes its type or meaning.
FORMATS: Mapping[str, str] = {
    "alloc": "1.0",
    "alloc-list": "1.0",
    "broken-lock": "1.0",
    "check-list": "1.0",
    "deployment": "1.2",
    "deployment-list": "1.2",
    "diagnosis": "1.0",
    "evaluation": "1.0",
    "evaluation-list": "1.0",
    "file": "1.0",
    "file-list": "1.0",
    "garbage": "1.0",
    "history": "1.1",
    "host-check": "1.0",
    "host-ends": "1.0",
    "host-keys": "1.0",
    "host-list": "1.0",
    "host-profiles": "1.0",
    "host-setup": "1.0",
    "inspect": "1.0",
    "job": "1.2",
    "job-file": "1.0",
    "job-list": "1.0",
    "job-restart": "1.0",
    "latest-deployment": "1.2",
    "ledger-check": "1.0",
    "ledger-status": "1.0",
    "locks": "1.0",
    "members": "1.0",
    "node-decision": "1.0",
    "node-drain": "1.0",
    "node-list": "1.3",
    "plan": "1.6",
    "report": "1.0",
    "scaling-events": "1.0",
    "service": "1.0",
    "service-list": "1.0",
    "tagged-version": "1.0",
    "validate": "1.0",
    "version": "1.0",
}
