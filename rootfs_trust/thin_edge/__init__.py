"""thin-edge.io's trust settings: their names and values, the file that sets each, and how to change them."""
