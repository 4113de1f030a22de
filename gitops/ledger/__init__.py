"""The ledger: what orch has decided and done, as refs of a Git repository."""
