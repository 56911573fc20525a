"""A report for a paper: methods, tables and limitations from the store, in a file that can be recomputed."""
