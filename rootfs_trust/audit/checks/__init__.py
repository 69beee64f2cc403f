"""A module for each group of findings: its kinds as constants, and one pure function that finds them."""
