"""Sessions of nox: the tests on each Python against the built wheel, with the newest and the lowest dependencies."""

import shutil
import tempfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
LOWEST = ["click==8.1.0", "cryptography==42.0.0", "jinja2==3.1.0"]
"""The lowest versions that pyproject.toml allows."""


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """With the newest dependencies."""
    _run(session)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """With the lowest dependencies."""
    _run(session, *LOWEST)


def _run(session: nox.Session, *constraints: str) -> None:
    """The unit and property tests in a folder without the package's source, so that the wheel is what is tested."""
    folder = Path(tempfile.mkdtemp())
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "rootfs_trust")
    shutil.copytree(Path.cwd(), folder / "checkout", ignore=ignored, symlinks=True)
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), silent=True)
    (wheel,) = folder.glob("*.whl")
    session.install(f"{wheel}[test]", *constraints)
    session.chdir(folder / "checkout")
    # Rules about imports between packages are checked in the checkout.
    words = ("tests/unit", "tests/property", "--ignore=tests/unit/test_imports.py", *session.posargs)
    session.run("python", "-m", "pytest", "-q", "-n", "2", *words)
