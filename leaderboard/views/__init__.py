"""The pages of the leaderboard, a file each; `shell` holds what they share."""
