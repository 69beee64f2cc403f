"""The schemas of docs/schema: that of rootfs-trust.toml agrees with the reader; outputs are held where they are got."""

from __future__ import annotations

import re
import tomllib

import pytest
from jsonschema import ValidationError

from rootfs_trust.cli.run import COMMANDS
from rootfs_trust.errors import InputError
from rootfs_trust.inputs import config
from rootfs_trust.inputs.config import parse_config
from tests.support.command import REPOSITORY
from tests.support.schemas import FOLDER, validator

CONFIG = validator("rootfs-trust")
DIGEST = "0" * 64

TABLES = {
    "store": config._STORE,
    "anchor": config._ANCHOR,
    "policy": config._POLICY,
    "cloud": config._CLOUD,
    "render": config._RENDER,
}

WRONG = (
    "[store]\nbase = 'all'\n",
    "[store]\nlayouts = 'debian'\n",
    "[store]\ndistrust = ['x']\n",
    "[[anchor]]\nname = 'x'\n",
    "[[anchor]]\nfile = 1\n",
    "[[anchor]]\nfile = 'x'\nallow = ['all']\n",
    "[[anchor]]\nfile = 'x'\npurposes = []\n",
    "[policy]\nmin_rsa_bits = -1\n",
    "[policy]\nstrict = 'yes'\n",
    "[[cloud]]\nkind = 'gcp'\n",
    "[[cloud]]\nprofile = 'x'\n",
    "[[render]]\ntemplate = 'profile'\ndest = 'x'\n",
    "[[render]]\ntemplate = 'profile'\ndest = '/x'\nmode = 'rw'\n",
    "[anchor]\nfile = 'x'\n",
    "other = 1\n",
)
RIGHT = (
    "",
    f"[store]\nlayout = 'auto'\nbase = 'none'\ndistrust = ['sha256:{DIGEST}', '{DIGEST}']\nroots = 'x'\n",
    f"[[anchor]]\nfile = 'x'\nname = 'y'\nsha256 = '{DIGEST}'\nreplace = true\n"
    "allow = ['expired']\npurposes = ['email']\n",
    f"[policy]\nmin_rsa_bits = 1\nmin_days_left = 1\nrequire_ca = true\nstrict = true\nforbid = ['{DIGEST}']\n",
    "[[cloud]]\nkind = 'az'\nprofile = 'x'\nroot_cert_path = '/x'\nat_run_time = true\n",
    "[[render]]\ntemplate = 'profile'\ndest = '/x'\nmode = '0644'\nreplace = true\n[render.values]\na = 1\n",
)


@pytest.mark.parametrize("table", TABLES)
def test_the_schema_has_the_keys_of_the_reader(table):
    schema = CONFIG.schema["properties"][table]
    properties = schema.get("items", schema)["properties"]
    assert set(properties) == set(TABLES[table])
    assert set(CONFIG.schema["properties"]) == set(TABLES)


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_reader_takes_is_valid(text):
    parse_config(text, "rootfs-trust.toml")
    CONFIG.validate(tomllib.loads(text))


@pytest.mark.parametrize("text", WRONG)
def test_what_the_reader_refuses_is_not(text):
    with pytest.raises(InputError):
        parse_config(text, "rootfs-trust.toml")
    with pytest.raises(ValidationError):
        CONFIG.validate(tomllib.loads(text))


def test_the_example_of_the_page_is_valid():
    (text,) = re.findall(r"```toml\n(.*?)```", (REPOSITORY / "docs/configuration.md").read_text(), re.DOTALL)[:1]
    CONFIG.validate(tomllib.loads(text.replace('"..."', f'"{DIGEST}"').replace("sha256:...", f"sha256:{DIGEST}")))


def test_every_command_that_answers_in_json_has_a_schema():
    there = {path.name.partition(".")[0] for path in FOLDER.iterdir()}
    without = {"init", "report", "sbom"}  # sbom writes formats that have official schemas
    shared = {"install", "remove", "rehash", "image"}
    assert there >= set(COMMANDS) - without - shared | {"outcome", "errors"}
