"""A corpus of hostile input, and every command on it: ``python -m tests.hostile --help``.

Each item of the corpus is one function with a decorator of :mod:`tests.hostile.corpus`; its kind decides which commands
run on it. :mod:`tests.hostile.judge` decides what is wrong with a run.
"""
