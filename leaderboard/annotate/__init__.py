"""Blind annotation: people rate answers from the keyboard, and see nothing of where an answer came from."""
