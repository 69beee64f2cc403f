"""Every module that a page, a docstring or a comment names exists, so that no text outlives a renamed module."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import REPOSITORY
from tests.unit.test_language import PAGES, texts

PACKAGE = REPOSITORY / "rootfs_trust"

PATH = re.compile(r"(?<![\w./~-])((?:[\w.-]+/)+[\w*.-]+\.py)\b")
"""A path with a directory. Modules of other projects have other directories, see :func:`is_missing`."""

ALONE = re.compile(r"`([\w-]+\.py)`")
"""A path without a directory, which pages use for modules that they have named before."""

DOTTED = re.compile(r"\brootfs_trust(?:\.\w+)+")

FORMER = ("agents",)
"""Packages that no longer exist."""

HISTORY = ("CHANGELOG.md",)
"""Pages that describe earlier versions."""

SOURCES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for directory in ("rootfs_trust", "tests", "benchmarks", "docs", "recipes", "root_data")
    for path in (REPOSITORY / directory).rglob("*.py")
)


def named_in(path: Path) -> Iterator[str]:
    source = path.read_text()
    yield from (text for _, text in texts(source)) if path.suffix == ".py" else (source,)


def is_missing(name: str) -> bool:
    """Return whether ``name`` is a path of this repository, or of a package of it, that matches no file."""
    first = name.partition("/")[0]
    places = [directory for directory in (REPOSITORY, PACKAGE) if (directory / first).is_dir()]
    return first in FORMER or (bool(places) and not any(list(directory.glob(name)) for directory in places))


def is_unknown(name: str) -> bool:
    """Return whether no module, and no attribute of a module, has this dotted name."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return True
            found = getattr(found, part)
        return False
    return True


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_the_modules_that_a_page_names_exist(page):
    text = (REPOSITORY / page).read_text()
    names = {Path(source).name for source in SOURCES}
    assert not {name for name in PATH.findall(text) if is_missing(name)}
    assert not {name for name in ALONE.findall(text) if name not in names}


def test_the_modules_that_the_code_names_exist():
    missing = {
        f"{source}: {name}"
        for source in SOURCES
        for text in named_in(REPOSITORY / source)
        for name in PATH.findall(text)
        if is_missing(name)
    }
    assert not missing, "\n".join(["", *sorted(missing)])


def test_the_dotted_names_in_texts_exist():
    names = {
        name
        for source in SOURCES
        if source.startswith("rootfs_trust/")
        for text in named_in(REPOSITORY / source)
        for name in DOTTED.findall(text)
        if name != "rootfs_trust.cli.NAME"
    }
    assert not {name for name in names if is_unknown(name)}
    assert len(names) > 10


def test_a_missing_module_is_found_and_one_of_another_project_is_not():
    assert (
        is_missing("store/no_such.py") and is_missing("tests/no_such.py") and is_unknown("rootfs_trust.store.no_such")
    )
    assert not is_missing("store/plan_store.py") and not is_missing("httplib2/certs.py")
    assert not is_unknown("rootfs_trust.rootfs.view.View.node")
