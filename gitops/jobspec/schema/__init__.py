"""The job language as data: one table a block, one row a name."""
