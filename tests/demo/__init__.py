"""The getting-started story: run by `make demo`, shown in README.md, compared by the tests."""
