"""The layer's own files: lint, the example append and recipe, versions that have to agree."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.bitbake import CORE, LAYER, BuildDirectory
from tests.support.command import REPOSITORY
from tests.support.peers import PLAIN_ENVIRONMENT

RECIPE = LAYER / "recipes-devtools/rootfs-trust"
EXAMPLES = LAYER / "examples"
SUPPRESSED = (
    "oelint.var.mandatoryvar.HOMEPAGE",  # neither the project nor an example has a page or a tracker in public
    "oelint.var.suggestedvar.BUGTRACKER",
    "oelint.var.suggestedvar.CVE_PRODUCT",  # certificates have no CVEs
    "oelint.var.bbclassextend",  # nor do they come as native
)


@pytest.mark.parametrize("series", ["scarthgap", "walnascar", "whinlatter", "wrynose", "blacksail"])
def test_the_lint_of_openembedded_has_nothing_to_say(tmp_path: Path, series: str):
    texts = [path.read_text() for path in (*sorted(LAYER.glob("classes-recipe/*")), *RECIPE.glob("*.bb"))]
    own = {"variables": {"known": re.findall(r"^(ROOTFS_TRUST_\w+) ", "".join(texts), re.MULTILINE)}}
    (tmp_path / "own.json").write_text(json.dumps(own))
    files = [path for path in sorted(LAYER.rglob("*")) if re.search(r"\.bb(class|append)?$|\.conf$", path.name)]
    assert len(files) == 6
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "oelint_adv",
                "--quiet",
                f"--release={series}",
                f"--constantmods=+{tmp_path}/own.json",
            ),
            *(f"--suppress={each}" for each in SUPPRESSED),
            *files,
        ],
        env={**PLAIN_ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_readme_follows_the_rules_of_the_layer_index():
    """Those of scripts/lib/checklayer of openembedded-core 2ef78bb6ed, and the sections of its layers' READMEs."""
    text = (LAYER / "README.md").read_text()
    assert not re.search("README", text, re.IGNORECASE), "yocto-check-layer skips a README that names another"
    assert "maintainer" in text.lower() and "patch" in text.lower() and re.search("[^@]+@[^@]+", text)
    sections = re.findall("^## (.*)$", text, re.MULTILINE)
    assert {"Dependencies", "Patches and maintainers", "Variables"} <= set(sections)
    series = re.search('SERIES_COMPAT_rootfs-trust = "(.*)"', (LAYER / "conf/layer.conf").read_text())[1].split()
    assert f"{series[0]} (5.0) to {series[-1]} (6.1)" in text
    assert (LAYER / "SECURITY.md").stat().st_size


def use_core(build: BuildDirectory, series: str) -> None:
    """The small core layer, as that of ``series``."""
    build.write("core/conf/layer.conf", (CORE / "conf/layer.conf").read_text().replace("wrynose", series))
    for name in ("classes", "classes-recipe", "conf/bitbake.conf"):
        (build.path / "core" / name).symlink_to(CORE / name)
    layers = build.path / "conf/bblayers.conf"
    layers.write_text(layers.read_text().replace(str(CORE), str(build.path / "core")))


@pytest.mark.parametrize("series", ["scarthgap", "walnascar", "whinlatter", "wrynose", "blacksail"])
def test_it_is_for_these_series(build: BuildDirectory, series: str):
    use_core(build, series)
    assert build.run(build.path / "my-image.bb").status == 0


def test_it_is_not_for_another_series(build: BuildDirectory):
    use_core(build, "kirkstone")
    (fatal,) = build.run(build.path / "my-image.bb").of_level("CRITICAL")
    assert "rootfs-trust is not compatible with the core layer" in fatal


def test_the_example_turns_the_class_on_for_its_image_alone(build: BuildDirectory, authority):
    build.write("files/my-ca.pem", authority.pem)
    build.write("classes-recipe/core-image.bbclass", "inherit image\n")
    image = build.write("my-cloud-image.bb", (EXAMPLES / "my-cloud-image.bb").read_text())
    depends = "rootfs-trust-native:do_populate_sysroot"
    assert build.run(image).depends["do_rootfs"] == depends
    assert build.run(build.path / "my-image.bb").depends["do_rootfs"] == ""


def test_the_recipe_agrees_with_the_package():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (recipe,) = RECIPE.glob("*.bb")
    assert recipe.name == f"{project['name']}_{project['version']}.bb"
    text = recipe.read_text()
    assert f'LICENSE = "{project["license"]}"' in text
    digest = hashlib.md5((REPOSITORY / "LICENSE").read_bytes(), usedforsecurity=False).hexdigest()
    assert f"file://LICENSE;md5={digest}" in text
    extras = project["optional-dependencies"]
    listed = (*project["dependencies"], *extras["settings"], *extras["pkcs7"], *extras["verify"])
    needed = {re.match(r"\w+", each)[0].lower() for each in listed}
    assert needed == set(re.findall(r"python3-(\w+)", text)) - {"misc", "modules"}


def test_the_recipe_fetches_what_a_build_needs():
    (recipe,) = RECIPE.glob("*.bb")
    text = recipe.read_text()
    names = re.findall(r"file://(\S+);subdir", text)
    top = re.search(r'"\$\{THISDIR\}/(\S+):"', text)[1]
    assert all((recipe.parent / top / name).exists() for name in names)
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*build["packages"], *build["force-include"], "pyproject.toml", "README.md", "LICENSE"} == set(names)
