"""thin-edge.io's trust settings: what they are, which file sets each, and how to change them."""
