"""The public API: one function per command, in one module each."""
