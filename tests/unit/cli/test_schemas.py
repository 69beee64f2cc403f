"""The schemas of docs/schema: that of rootfs-trust.toml agrees with the reader; outputs are held where they are got."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

import pytest
from jsonschema import ValidationError

from rootfs_trust.audit import root_status, servers, store_files, trusted_anchors
from rootfs_trust.audit.findings import LEVELS
from rootfs_trust.cli.run import COMMANDS
from rootfs_trust.clients.all_clients import NAMES
from rootfs_trust.errors import InputError
from rootfs_trust.fleet import messages
from rootfs_trust.inputs import config_reader, root_data
from rootfs_trust.inputs.config_reader import parse_config
from rootfs_trust.inputs.constraints import FENCES
from rootfs_trust.inputs.selections import PROGRAMS
from rootfs_trust.rootfs import plan
from rootfs_trust.runtimes import names
from rootfs_trust.store.purposes import WORDS
from rootfs_trust.thin_edge.trust_settings import CLOUDS
from tests.support.command import REPOSITORY
from tests.support.schemas import DIRECTORY, validator

CONFIG = validator("rootfs-trust")
DIGEST = "0" * 64

TABLES = {
    "store": config_reader._STORE,
    "anchor": config_reader._ANCHOR,
    "policy": config_reader._POLICY,
    "cloud": config_reader._CLOUD,
    "render": config_reader._RENDER,
    "server": config_reader._SERVER,
    "runtimes": config_reader._RUNTIMES,
}

WRONG = (
    "[[server]]\nname = 'x'\n",
    "[[server]]\nname = 'x'\nchain = 'y'\nrefused = 'no'\n",
    "[[server]]\nname = 'x'\nchain = 'y'\nclients = 'go'\n",
    "[store]\nbase = 'all'\n",
    "[store]\nlayouts = 'debian'\n",
    "[store]\ndistrust = ['sha256:x']\n",
    "[store]\nprogram = 'chrome'\n",
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
    "[[server]]\nname = 'x'\nchain = 'y'\nhostname = 'z'\nclients = ['go']\nrefused = true\n",
    f"[store]\nlayout = 'auto'\nbase = 'none'\ndistrust = ['sha256:{DIGEST}', '{DIGEST}']\nroots = 'x'\n"
    "program = 'mozilla'\n",
    f"[store]\ndistrust = ['spki:{DIGEST}', 'file:x.pem', 'CVE-2026-111943', 'A Root']\n",
    f"[[anchor]]\nfile = 'x'\nname = 'y'\nsha256 = '{DIGEST}'\nreplace = true\n"
    "allow = ['expired']\npurposes = ['email']\n",
    f"[policy]\nmin_rsa_bits = 1\nmin_days_left = 1\nrequire_ca = true\nstrict = true\nforbid = ['{DIGEST}']\n"
    f"allow_only = ['{DIGEST}']\n",
    "[[cloud]]\nkind = 'az'\nprofile = 'x'\nroot_cert_path = '/x'\nat_run_time = true\n",
    "[[render]]\ntemplate = 'profile'\ndest = '/x'\nmode = '0644'\nreplace = true\n[render.values]\na = 1\n",
)


ANCHOR = {
    "purposes/items": dict.fromkeys(trusted_anchors._PURPOSES.values()),
    "origin": (
        trusted_anchors.DISTRIBUTION,
        trusted_anchors.LOCAL,
        trusted_anchors.OWN,
        trusted_anchors.UNSOURCED,
        trusted_anchors.APPLICATION,
    ),
    "outputs/items": (store_files.BUNDLE, store_files.DIRECTORY, store_files.JAVA, store_files.EMAIL, store_files.CODE),
}
ENUMERATIONS = {
    "rootfs-trust: properties/runtimes/properties/use/items": (names.AUTO, names.NONE, *names.NAMES),
    "check: properties/findings/items/properties/level": LEVELS,
    **{f"list: properties/anchors/items/properties/{key}": words for key, words in ANCHOR.items()},
    "list: properties/anchors/items/properties/status": root_status.STATUSES,
    "root-data: properties/roots/items/properties/left/properties/reason": root_data.REASONS,
    "root-data: properties/cloud_roots/items/properties/need": root_data.NEEDS,
    "root-data: properties/incidents/items/properties/certificates/items/properties/kind": root_data.KINDS,
    **{f"diff: $defs/anchor/properties/{key}": words for key, words in ANCHOR.items()},
    "rootfs-trust: properties/store/properties/program": PROGRAMS,
    "fleet: else/properties/status": (messages.CHANGED, messages.UNCHANGED, messages.SKIPPED, messages.FAILED),
    "fleet: then/properties/status": (messages.OK, messages.FINDINGS, messages.FAILED),
    "fleet: then/properties/findings/items/properties/level": LEVELS,
    "outcome: properties/actions/items/properties/action": ("put", "link", "directory", "remove"),
    "advise: properties/verdicts/items/properties/client/anyOf/0": NAMES,
    "advise: properties/verdicts/items/properties/problem": (servers.REFUSED, servers.ENDS, servers.TRUSTED, None),
    "verify: properties/verdicts/items/properties/client/anyOf/0": NAMES,
    "rootfs-trust: properties/cloud/items/properties/kind": CLOUDS,
    "rootfs-trust: properties/anchor/items/properties/purposes/items": WORDS,
    "rootfs-trust: properties/anchor/items/properties/allow/items": ("expired",),
    "rootfs-trust: properties/anchor/items/properties/fence": FENCES,
    "verify: properties/verdicts/items/properties/problem": (servers.REFUSED, servers.ENDS, servers.TRUSTED, None),
    "rootfs-trust: properties/store/properties/base": ("keep", "none"),
}
"""Every list of words in a schema, with the code's own; those of the config that the reader refuses are held below."""


def enumerations(node: object, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each ``enum`` below ``node``, with the way to it."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield path, node["enum"]
        for key, value in node.items():
            yield from enumerations(value, f"{path}/{key}" if path else key)
    if isinstance(node, list):
        for number, value in enumerate(node):
            yield from enumerations(value, f"{path}/{number}")


def test_the_words_of_the_schemas_are_those_of_the_code():
    found = {
        f"{file.name.partition('.')[0]}: {path}": words
        for file in DIRECTORY.glob("*.json")
        for path, words in enumerations(json.loads(file.read_text()))
    }
    assert found == {path: list(words) for path, words in ENUMERATIONS.items()}


def test_actions_are_called_what_the_schema_calls_them():
    verbs = {kind.verb.fget(None) for kind in (plan.Put, plan.Link, plan.MakeDirectory, plan.Remove)}
    assert verbs == set(ENUMERATIONS["outcome: properties/actions/items/properties/action"])


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
    there = {path.name.partition(".")[0] for path in DIRECTORY.iterdir()}
    without = {"init", "report", "sbom"}  # sbom writes formats that have official schemas
    shared = {"install", "remove", "rehash", "image"}
    assert there >= set(COMMANDS) - without - shared | {"outcome", "errors"}
