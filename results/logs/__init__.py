"""Inspect logs, read as far as each stage needs: where they lie, their archive, what is in it."""
