"""docs/layouts.md is made from the layouts' constants, and each says what people need to know of it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from rootfs_trust.layouts import LAYOUTS, with_p11kit, without_p11kit
from rootfs_trust.layouts.layout import EVERY_FILE, FILE, P11KIT, Layout

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py, which is no module of any package."""
    spec = importlib.util.spec_from_file_location("docs.generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    return request.param


def test_every_page_is_as_it_would_be_written(generate: ModuleType) -> None:
    assert "layouts.md" in generate.PAGES
    for name, page in generate.PAGES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == page(), f"run: python docs/generate.py ({name})"


def test_generate_check_reports_a_stale_page_and_writes_nothing(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    page = tmp_path / "layouts.md"
    (tmp_path / "schema").mkdir()
    assert generate.main(["--check"]) == 1
    assert "layouts.md" in capsys.readouterr().out
    assert not page.exists()
    assert generate.main([]) == 0
    assert page.read_text(encoding="utf-8") == (DOCS / "layouts.md").read_text(encoding="utf-8")
    assert generate.main(["--check"]) == 0
    page.write_text("stale", encoding="utf-8")
    assert generate.main(["--check"]) == 1
    assert page.read_text(encoding="utf-8") == "stale"


def test_the_page_of_the_api_has_the_default_of_each_field(generate: ModuleType) -> None:
    page = generate.PAGES["api.md"]()
    for line in (
        "    min_rsa_bits: int = 2048\n",  # a named tuple
        "    store: StoreTable = StoreTable()\n",
        "    mode: int = 0o644\n",
        "    select: Sequence[str] = ()\n",  # a data class
        "install(root: str, options: InstallOptions = InstallOptions()) -> Outcome\n",
    ):
        assert line in page


def test_the_page_has_all_that_a_layout_states(layout: Layout) -> None:
    page = (DOCS / "layouts.md").read_text(encoding="utf-8")
    section = page.partition(f"## {layout.name}\n")[2].partition("\n## ")[0]
    assert layout.title in section
    assert layout.releases in section
    for line in (*layout.reads, *layout.writes, *layout.facts):
        assert f"- {line}\n" in section


def test_a_layout_states_what_it_reads_and_writes_for_which_releases_and_where_that_is_from(layout: Layout) -> None:
    for stated in (layout.reads, layout.writes, layout.facts):
        assert stated
        assert all(each.strip() == each and each for each in stated)
    assert layout.title and layout.releases
    assert layout.releases == "any" or re.search(r"\d", layout.releases), "a range of releases"
    written = " ".join(layout.writes)
    for path in filter(None, (layout.bundle, layout.local, layout.hash_directory)):
        assert f"`{path}" in written, path
    assert re.search(r"\(0[0-7]{3}", written), "modes"


def test_the_modes_and_kinds_of_links_are_stated(layout: Layout) -> None:
    links = [line for line in layout.writes if "link" in line or "->" in line]
    assert bool(links) == bool(layout.hash_directory)
    for line in links:
        assert "->" in line or "relative" in line or "absolute" in line
    for line in layout.writes:
        assert line in links or "(0" in line or "JKS" in line or "debconf" in line, line


def test_a_layout_is_a_frozen_constant(layout: Layout) -> None:
    assert LAYOUTS[layout.name] is layout
    with pytest.raises(AttributeError):
        layout.name = "other"  # type: ignore[misc]
    assert hash(layout) == hash(layout._replace(name=layout.name)), "and all that it is made of"


def test_every_constant_is_in_the_table() -> None:
    constants = (*vars(with_p11kit).values(), *vars(without_p11kit).values())
    assert {each.name for each in constants if isinstance(each, Layout)} == set(LAYOUTS)


def test_every_layout_says_what_its_clients_read(layout: Layout) -> None:
    paths = layout.clients
    assert paths.openssl_file and paths.openssl_directory and paths.gnutls and paths.source
    assert paths.gnutls_way in (FILE, EVERY_FILE, P11KIT)


def test_every_way_in_which_we_differ_from_a_devices_tool_is_reported(generate: ModuleType) -> None:
    """Facts, section 1 to 3: the defects that were tried; what they come to for us is said once, in one table."""
    rows = [line for line in generate.layouts_page().splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 11
    assert all(row.count(" | ") == 2 for row in rows)
    for word in ("new content", "every CA is disabled", "blanks", "deleting", "private key", "one CA", "--sysroot"):
        assert any(word in row for row in rows), word
