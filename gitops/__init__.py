"""Repository in, words out: job specs, the ledger, views and the command line."""
