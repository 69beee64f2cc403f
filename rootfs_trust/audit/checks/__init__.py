"""The checks of ``check``. Each module has the kinds of one group of findings, and a function that yields them."""
