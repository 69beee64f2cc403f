"""A fault at every file-system call of a run, one at a time, and what is left judged each time."""
