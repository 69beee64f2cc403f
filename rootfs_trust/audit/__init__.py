"""Analyses a finished tree: finds the trusted anchors, and problems with them. Does no I/O."""
