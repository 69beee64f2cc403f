"""Thin-edge.io's trust settings: which there are, which file sets each, and how to change them."""
