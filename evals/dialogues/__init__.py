"""Scripted dialogues: items with several user turns, how they are played, and how they are scored."""
