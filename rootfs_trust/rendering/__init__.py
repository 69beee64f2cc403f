"""Renders Jinja2 templates: those of users, in a sandbox with limits, and those of the package."""
