"""How often the intervals and tests of a comparison keep their promise: populations, checks, table."""
