"""The checks of ``check``. Each module defines the kinds of findings of one group, and a function that yields the
findings.
"""
