"""The commands that the documentation prints do what it says, on the sample root filesystem."""

from __future__ import annotations

import pytest

from tests.support.command import REPOSITORY
from tests.support.docs_blocks import SampleDirectory, blocks, scripts, sessions


@pytest.fixture
def sample(tmp_path) -> SampleDirectory:
    return SampleDirectory(tmp_path)


def test_the_page_of_thin_edge_works_as_printed(sample):
    promised = scripts("docs/thin-edge.md")
    assert len(promised) > 5
    for script, output in promised:
        done = sample.run(script)
        assert done.returncode == 0, (script, done.stderr)
        assert output in (None, done.stdout), script
        assert "error" not in done.stderr


def test_the_page_for_beginners_shows_what_the_sample_prints(sample):
    (shown,) = [
        block.text for block in blocks("docs/getting-started.md") if block.text.startswith("$ rootfs-trust install")
    ]
    install, find, cat = sessions(shown)
    for command, output in (install, cat):
        assert sample.run(command).stdout == output
    assert sample.run(find[0]).stdout.split() != []
    named = {line.split(" -> ")[0] for line in find[1].splitlines()}
    files = sample.run(f"{find[0]} ! -type d").stdout.splitlines()
    assert named == {line.removeprefix("rootfs/") for line in files}


def test_the_page_is_linked():
    assert "(docs/thin-edge.md)" in (REPOSITORY / "README.md").read_text()
    assert "(thin-edge.md)" in (REPOSITORY / "docs/install.md").read_text()
