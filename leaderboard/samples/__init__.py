"""The responses of a run, one by one: what is known of each, how it is shown, and what was said."""
