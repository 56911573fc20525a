"""What judges and detectors are checked against: readers' labels of published texts by id, and texts of our own."""
