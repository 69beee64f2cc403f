"""The packages that are mutated, each with its fast tests: in this process, without reference programs."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.layouts import LAYOUTS

_STAMPS = "tests/unit/fleet/test_change_detection.py::test_no_change_that_matters_leaves_the_stamp"


class Package(NamedTuple):
    """``tests`` are what pytest gets; ``slow`` of them are left out, each by its id."""

    name: str
    tests: tuple[str, ...]
    slow: tuple[str, ...] = ()


PACKAGES = (
    Package(
        "x509",
        (
            "tests/unit/x509",
            "tests/unit/store/test_purposes.py",
            "tests/property/test_parse.py",
        ),
        (
            "tests/property/test_parse.py::test_time_grows_no_faster_than_the_input",
            "tests/property/test_parse.py::test_binary_input",
            "tests/property/test_parse.py::test_text_input",
        ),
    ),
    Package(
        "rootfs",
        (
            "tests/unit/rootfs",
            "tests/property/test_mazes.py",
        ),
        (*(f"{_STAMPS}[{name}-" for name in LAYOUTS if name != "alpine"),),
    ),
    Package(
        "layouts",
        ("tests/unit/layouts",),
        ("tests/unit/layouts/test_layout_docs.py::test_every_page_is_as_it_would_be_written",),
    ),
    Package(
        "store",
        (
            "tests/unit/store",
            "tests/unit/cli/test_store.py",
            "tests/unit/cli/test_purposes.py",
            "tests/unit/cli/test_warnings.py",
            "tests/layouts",
        ),
        (
            "tests/unit/store/test_java_keystore.py::test_a_hash_table_loses_nothing",
            "tests/layouts/test_matrix.py::test_the_layouts_own_program_has_nothing_to_do",
            "tests/layouts/test_matrix.py::test_rehash_has_nothing_to_do",
            "tests/layouts/test_matrix.py::test_distrusted_certificates_stand_nowhere_but_in_their_sources",
            "tests/layouts/test_check.py",
        ),
    ),
)
