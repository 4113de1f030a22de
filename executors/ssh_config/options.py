"""The options of ssh_config that orch honours, and those it names because it does not."""

from __future__ import annotations

# Whose text is taken to the end of the line.
WHOLE_LINE = frozenset({"proxycommand", "proxyjump"})
# Of which each counts, not only the first; every other one is decided by its first line.
REPEATED = frozenset({"identityfile", "certificatefile"})
# Which may have several words.
LISTS = frozenset({"userknownhostsfile", "globalknownhostsfile"})
# The first of these, of either name, rules the other out.
PROXY = frozenset({"proxyjump", "proxycommand"})

HONOURED = (
    WHOLE_LINE
    | REPEATED
    | LISTS
    | frozenset(
        {
            *("addressfamily", "bindaddress", "connecttimeout", "hashknownhosts"),
            *("hostkeyalias", "hostname"),
            *("identitiesonly", "identityagent", "port", "serveralivecountmax"),
            *("serveraliveinterval", "stricthostkeychecking", "tag", "user"),
        }
    )
)
# Without these another host may be reached, or none, or as somebody else; of the rest
# (forwardings, terminals, algorithms, shared connections) nobody misses anything.
MISSED = {
    "bindinterface": "BindInterface",
    "canonicalizehostname": "CanonicalizeHostname",
    "knownhostscommand": "KnownHostsCommand",
    "pkcs11provider": "PKCS11Provider",
    "pubkeyauthentication": "PubkeyAuthentication",
    "securitykeyprovider": "SecurityKeyProvider",
    "verifyhostkeydns": "VerifyHostKeyDNS",
}
# What they say when they ask for nothing.
IDLE = {"canonicalizehostname": "no", "pubkeyauthentication": "yes", "verifyhostkeydns": "no"}
