"""The digest of a policy: another one for all that changes what a tree becomes, and for nothing else."""

from __future__ import annotations

import pytest

from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import InputError
from rootfs_trust.fleet.policies import read_policy
from tests.support.authority import NOW, Authority

BASE = '[[anchor]]\nfile = "ca.pem"\nname = "ca"\n\n[[cloud]]\nkind = "c8y"\n'
RENDER = '[[render]]\ntemplate = "own.j2"\ndest = "/etc/own"\n'


@pytest.fixture
def digest(tmp_path, authority):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "own.j2").write_text("one")

    def read(text: str = BASE, **options) -> str:
        (tmp_path / "trust.toml").write_text(text)
        return read_policy(InstallOptions(config=str(tmp_path / "trust.toml"), **options))[1]

    return read


def test_the_same_policy_in_other_words(digest, authority, tmp_path):
    before = digest()
    assert digest(f"# a comment\n{BASE}\n[policy]\nmin_rsa_bits = 2048\n") == before
    (tmp_path / "ca.pem").write_bytes(authority.der)
    assert digest(at=NOW) == before


def test_another_version_of_this_package_is_another_policy(digest, monkeypatch):
    before = digest()
    monkeypatch.setattr("rootfs_trust.fleet.policies.__version__", "0")
    assert digest() != before


def test_every_other_policy(digest, tmp_path):
    texts = [
        BASE.replace("c8y", "aws"),
        f'{BASE}profile = "edge"\n',
        f'{BASE}root_cert_path = "/etc/ssl/certs"\n',
        f"{BASE}at_run_time = true\n",
        BASE.replace('name = "ca"', 'name = "my-ca"'),
        BASE.replace('name = "ca"', 'name = "ca"\nreplace = true'),
        BASE.replace('name = "ca"', 'name = "ca"\npurposes = ["server-auth", "email"]'),
        BASE.replace('name = "ca"', 'name = "ca"\npermitted = ["a.example"]'),
        BASE.replace('name = "ca"', 'name = "ca"\npermitted = ["a.example"]\nfence = "where-possible"'),
        f'[store]\nbase = "none"\n{BASE}',
        f'[store]\nlayout = "debian"\n{BASE}',
        f'[store]\ndistrust = ["{"0" * 64}"]\n{BASE}',
        f'[store]\nroots = "ca.pem"\n{BASE}',
        f'[runtimes]\nuse = ["java"]\n{BASE}',
        f'[runtimes]\nuse = ["auto"]\n{BASE}',
        BASE + RENDER,
        f'{BASE}{RENDER}mode = "0600"\n',
        f'{BASE}{RENDER}[render.values]\nkey = "value"\n',
    ]
    digests = [digest(), digest(timestamp=1), *map(digest, texts)]
    (tmp_path / "own.j2").write_text("two")
    digests.append(digest(BASE + RENDER))
    (tmp_path / "ca.pem").write_bytes(Authority("Another").pem)
    digests.append(digest())
    assert len(set(digests)) == len(digests) == len(texts) + 4


def test_what_install_refuses_is_refused_before_any_tree(digest, tmp_path, authority):
    (tmp_path / "ca.pem").write_bytes(authority.pem + authority.key_pem)
    with pytest.raises(InputError) as raised:
        digest()
    assert [each.id for each in raised.value.problems] == ["private-key"]
