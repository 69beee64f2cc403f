"""Renders Jinja2 templates: templates of users, in a sandbox with limits, and templates of the package."""
