"""The command line, as in the tests of the other commands."""

from tests.unit.cli.conftest import command  # noqa: F401
