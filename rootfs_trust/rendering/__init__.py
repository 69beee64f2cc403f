"""Render Jinja2 templates: those of a user, within bounds, and those that come with the package."""
