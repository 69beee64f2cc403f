"""Help of commands with many options, in groups: the options that most runs need come first."""

from __future__ import annotations

import click

_GROUPS = (
    ("Common options", ("root", "certs", "clouds")),
    ("What to trust", ("config", "replace", "permit", "without", "at", "adopt", "drop_unsourced", "root_data")),
    ("Where", ("layout", "runtimes", "environment", "will_be_signed")),
    ("Settings of thin-edge.io", ("set", "set_at_run_time", "thin_edge", "settings_as")),
)
"""Titles, and the parameters of each group in their order; all other options are about the output."""

_OTHERS = "Output"


class GroupedCommand(click.Command):
    """A command whose help has its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group that has options of this command."""
        options = {each.name: record for each in self.get_params(ctx) if (record := each.get_help_record(ctx))}
        for title, names in _GROUPS:
            _write(formatter, title, [options.pop(name) for name in names if name in options])
        _write(formatter, _OTHERS, list(options.values()))


def _write(formatter: click.HelpFormatter, title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
