"""Ratings by people: a blind plan of who rates what in which order, and the database that keeps what they say."""
