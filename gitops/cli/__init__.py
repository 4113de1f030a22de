"""The command line: parses, calls, prints and exits. Decides nothing."""
