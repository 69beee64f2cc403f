"""The tool where people work: CI, pre-commit, a container image, dev containers."""
