"""Sources with damage at random: what the real tool still makes of them, and what ours does.

Each damaged file is its own token, so that readdir has nothing to order. The tool may take a certificate
that OpenSSL refuses (see test_p11kit_extract); those aside, both must agree on every byte.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.root_directory import RootDirectory as Tree
from rootfs_trust.store.p11kit import formats, pem
from rootfs_trust.store.p11kit.output_selection import Filter, select
from rootfs_trust.store.p11kit.token import files_of, token_of
from rootfs_trust.x509.certificate import take_certificate
from rootfs_trust.x509.der import DerReader
from rootfs_trust.x509.oids import SERVER_AUTH
from tests.unit.store.p11kit.peer import TrustTool
from tests.unit.store.p11kit.sources import every_form

pytestmark = pytest.mark.slow

FILES = 60
PIECES = (
    *(b"\n", b" ", b'"', b"%", b"\0", b"#", b":", b"\r\n", b"="),
    b"-----BEGIN CERTIFICATE-----",
    b"-----END CERTIFICATE-----",
    b"-----BEGIN PUBLIC KEY-----",
    b"[p11-kit-object-v1]",
    b"[x]\n",
    b"trusted: true\n",
    b"x-distrusted: true\n",
    b'label: "x"\n',
    b"class: certificate\n",
    b"object-id: 2.5.29.37\n",
    b"certificate-category: authority\n",
    b"modifiable: false\n",
    b'value: "%30"\n',
    b"token: false\n",
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        line_end = changed.find(b"\n", at)
        if line_end >= 0 and rng.random() < 0.5:
            at = line_end + 1  # most of the rules are about lines
        way = rng.random()
        if way < 0.4:
            changed[at:at] = rng.choice(PIECES)
        elif way < 0.6:
            del changed[at : at + rng.randint(1, 3)]
        elif way < 0.8:
            changed[at : at + 1] = bytes((rng.randrange(256),))
        else:
            del changed[at : at + rng.randint(1, 200)]
    return bytes(changed)


LONE_QUOTE = re.compile(rb':[ \t]*"[ \t\r\v\f]*(\0|\n|$)')
"""A value of one quotation mark ends p11-kit before 0.26 by an assertion (its commit 2e65783)."""


def harmless(data: bytes, rng: random.Random) -> bytes:
    """The first of several damaged versions that the tool survives."""
    while LONE_QUOTE.search(found := damaged(data, rng)):
        pass
    return found


def readable(contents: bytes) -> bool:
    try:
        take_certificate(DerReader(contents))
    except MalformedError:
        return False
    return True


@pytest.mark.parametrize("seed", range(6))
def test_damaged_sources(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    forms = list(every_form().items())
    for number in range(FILES):
        name, data = rng.choice(forms)
        file = tmp_path / str(number) / name
        file.parent.mkdir(parents=True)
        file.write_bytes(harmless(data, rng))
    tool = TrustTool(tmp_path / str(number) for number in range(FILES))
    with Tree(str(tmp_path)) as view:
        tokens = [token_of(files_of(view, f"/{number}")) for number in range(FILES)]
    for form, wanted, purpose, write in (
        ("openssl-bundle", Filter.CERTIFICATES, "", formats.openssl_bundle),
        ("pem-bundle", Filter.ANCHORS, SERVER_AUTH, formats.pem_bundle),
    ):
        output = tmp_path / form
        tool.extract(f"--format={form}", f"--filter={wanted}", *_purpose(purpose), str(output))
        real = [each for _, each in pem.blocks(output.read_bytes()) if readable(each)]
        ours = [each for _, each in pem.blocks(write(select(tokens, wanted, purpose)))]
        assert ours == real


def _purpose(purpose: str) -> list[str]:
    return [f"--purpose={purpose}"] if purpose else []
