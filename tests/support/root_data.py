"""Tables of public roots for tests: what ``--root-data`` takes, about certificates that the tests make."""

from __future__ import annotations

import base64
import json
from datetime import date
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.authority import NOW, Authority

TODAY = NOW.date()
SOURCE = "a list of the tests"


def spki(authority: Authority) -> str:
    """SHA-256 of the SubjectPublicKeyInfo."""
    return sha256(authority.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def common_name(authority: Authority) -> str:
    return str(authority.name.rfc4514_string()).removeprefix("CN=")


def root(authority: Authority, **more: object) -> dict[str, object]:
    """A root of the table; ``more`` are its other keys, such as ``left``."""
    certificate = authority.certificate
    return {
        "name": common_name(authority),
        "sha256": authority.sha256,
        "spki": spki(authority),
        "not_before": f"{certificate.not_valid_before_utc.date()}",
        "not_after": f"{certificate.not_valid_after_utc.date()}",
        "since": {"date": "2020-01-01", "source": SOURCE},
        **more,
    }


def left(day: str = "2026-04-15", reason: str = "age", **more: str) -> dict[str, str]:
    return {"date": day, "source": SOURCE, "reason": reason, **more}


def concerned(authority: Authority, kind: str, *, by: str = "sha256", **more: str) -> dict[str, str]:
    """A certificate of an incident, named by its ``sha256``, its ``spki`` or the ``certificate`` itself."""
    value = {
        "sha256": authority.sha256,
        "spki": spki(authority),
        "certificate": base64.b64encode(authority.der).decode(),
    }
    return {"name": common_name(authority), "kind": kind, by: value[by], **more}


def incident(
    *certificates: dict[str, str], name: str = "TEST-2026-1", title: str = "a key leaked"
) -> dict[str, object]:
    day = f"{TODAY}"
    return {"ids": [name], "title": title, "date": day, "source": SOURCE, "certificates": list(certificates)}


def cloud_root(authority: Authority, need: str = "required", cloud: str = "aws", **more: object) -> dict[str, object]:
    """A root that a cloud documents; ``more`` are its other keys, such as ``until``."""
    return {
        "cloud": cloud,
        "name": common_name(authority),
        "sha256": authority.sha256,
        "spki": spki(authority),
        "need": need,
        "what": "signs what devices see",
        "date": f"{TODAY}",
        "source": SOURCE,
        **more,
    }


def table(
    *roots: dict[str, object], incidents: tuple[dict[str, object], ...] = (), made: date = TODAY, **more: object
) -> dict:
    return {"format": 1, "date": f"{made}", "roots": list(roots), "incidents": list(incidents), **more}


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path
