"""Collect the root data: which public roots Mozilla trusts for TLS servers, since when, until when, and why they left.

    python root_data/collect.py --nss NSS_CHECKOUT --certifi DIRECTORY_OF_WHEELS

NSS_CHECKOUT is a git clone of Mozilla's NSS with its history: each commit that changed certdata.txt is one dated list.
DIRECTORY_OF_WHEELS holds wheels of the PyPI package certifi: those newer than the clone continue the series, because
each of them is Mozilla's list at the date in its version. causes.toml, incidents.toml and clouds.toml, beside this
file, hold what no list says: why a root left, which keys leaked, and which roots the clouds document. Writes roots.json
beside this file, sorted, so that a renewal can be reviewed as a diff. docs/root-data.md describes the format.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from rootfs_trust.errors import MalformedError
from rootfs_trust.inputs.certdata import SERVER_AUTH, certificates_of_certdata
from rootfs_trust.x509 import Certificate, read_objects

HERE = Path(__file__).parent
RESULT = HERE / "roots.json"
CERTDATA = "lib/ckfw/builtins/certdata.txt"
FORMAT = 1
LEFT_OUT_WHEELS = {"2021.10.8", "2022.9.24", "2023.5.7", "2024.2.2", "2025.1.31", "2026.10.19.post1"}
"""Wheels that the tests hold the result against; the result must not be made from them."""


@dataclass
class Snapshot:
    """Mozilla's list at one date: the roots trusted for TLS servers, and until when their new certificates are."""

    date: date
    source: str
    trusted: dict[str, Certificate]
    distrust_after: dict[str, date] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class Root:
    """One root over all snapshots."""

    certificate: Certificate
    name: str
    since: date | None
    since_source: str
    until: date | None = None
    until_source: str = ""
    distrust_after: date | None = None
    distrust_after_source: str = ""


def nss_snapshots(checkout: Path) -> Iterator[Snapshot]:
    """One snapshot for each commit that changed certdata.txt, oldest first. Lists that cannot be read are skipped."""
    log = _git(checkout, "log", "--reverse", "--format=%h%x00%cs%x00%s", "--", CERTDATA).decode()
    for line in log.splitlines():
        commit, day, subject = line.split("\0")
        bug = re.search(r"[Bb]ug (\d+)", subject)
        source = f"NSS commit {commit}" + (f", Mozilla bug {bug[1]}" if bug else "")
        try:
            listed = certificates_of_certdata(_git(checkout, "show", f"{commit}:{CERTDATA}"))
        except MalformedError as error:
            print(f"skipped {source}: {error.message}")
            continue
        kept = [each for each in listed if SERVER_AUTH in each.trusted - each.distrusted]
        yield Snapshot(
            date.fromisoformat(day),
            source,
            {each.certificate.sha256: each.certificate for each in kept},
            {each.certificate.sha256: each.server_distrust_after.date() for each in kept if each.server_distrust_after},
            {each.certificate.sha256: each.label for each in kept},
        )


def certifi_snapshots(wheels: Path, after: date) -> Iterator[Snapshot]:
    """One snapshot for each wheel dated after ``after``, oldest first; a version such as 2026.5.20 is a date."""
    found = []
    for wheel in wheels.glob("certifi-*.whl"):
        version = wheel.name.split("-")[1]
        year, month, day = (int(each) for each in version.split(".")[:3])
        if version not in LEFT_OUT_WHEELS and date(year, month, day) > after:
            found.append((date(year, month, day), version, wheel))
    for day_of_wheel, version, wheel in sorted(found):
        data = zipfile.ZipFile(wheel).read("certifi/cacert.pem")
        labels = re.findall(r'^# Label: "(.*)"$', data.decode(), re.MULTILINE)
        certificates = [certificate for _, certificate in read_objects(data).certificates]
        names = {each.sha256: label for each, label in zip(certificates, labels, strict=True)}
        yield Snapshot(day_of_wheel, f"certifi {version}", {each.sha256: each for each in certificates}, {}, names)


def roots_of(snapshots: Iterable[Snapshot]) -> dict[str, Root]:
    """Follow each root through the snapshots. A root that comes back is trusted again."""
    roots: dict[str, Root] = {}
    first = True
    for snapshot in snapshots:
        for digest, certificate in snapshot.trusted.items():
            root = roots.get(digest)
            if root is None:
                # What the oldest list holds came at an unknown earlier date.
                since = None if first else snapshot.date
                root = roots[digest] = Root(certificate, snapshot.names[digest].strip(), since, snapshot.source)
            root.until, root.until_source = None, ""
            after = snapshot.distrust_after.get(digest)
            if after and after != root.distrust_after:
                root.distrust_after, root.distrust_after_source = after, snapshot.source
        for digest, root in roots.items():
            if digest not in snapshot.trusted and root.until is None:
                root.until, root.until_source = snapshot.date, snapshot.source
        first = False
    return roots


def document(roots: dict[str, Root], sources: list[dict[str, str]], newest: date) -> dict[str, object]:
    """The JSON document."""
    causes = tomllib.loads((HERE / "causes.toml").read_text())["cause"]
    incidents = tomllib.loads((HERE / "incidents.toml").read_text())["incident"]
    entries = sorted((_root(root, causes) for root in roots.values()), key=_order)
    return {
        "format": FORMAT,
        "date": newest.isoformat(),
        "sources": sources,
        "roots": entries,
        "cloud_roots": cloud_roots(entries),
        "incidents": [_plain(each) for each in incidents],
    }


def cloud_roots(roots: list[dict[str, object]]) -> list[dict[str, object]]:
    """The roots of clouds.toml, each with the name and the digests that ``roots`` has of it."""
    entries = tomllib.loads((HERE / "clouds.toml").read_text())["cloud"]
    return [_cloud_root(each, roots) for each in entries]


def _cloud_root(entry: dict[str, object], roots: list[dict[str, object]]) -> dict[str, object]:
    root = _beginning_with(entry.pop("root"), roots)
    crossed = [_beginning_with(each, roots)["sha256"] for each in entry.pop("vouches_for", ())]  # type: ignore[attr-defined]
    more = {"vouches_for": crossed} if crossed else {}
    return {"name": root["name"], "sha256": root["sha256"], "spki": root["spki"], **_plain(entry), **more}


def _beginning_with(digits: object, roots: list[dict[str, object]]) -> dict[str, object]:
    (found,) = (each for each in roots if str(each["sha256"]).startswith(str(digits)))
    return found


def _order(entry: dict[str, object]) -> tuple[object, object]:
    return entry["name"], entry["sha256"]


def _root(root: Root, causes: list[dict[str, object]]) -> dict[str, object]:
    certificate = root.certificate
    entry: dict[str, object] = {
        "name": root.name,
        "sha256": certificate.sha256,
        "spki": sha256(certificate.public_key).hexdigest(),
        "not_before": _day(certificate.not_before),
        "not_after": _day(certificate.not_after),
        "since": {"date": root.since.isoformat() if root.since else None, "source": root.since_source},
    }
    if root.distrust_after:
        entry["distrust_after"] = {"date": root.distrust_after.isoformat(), "source": root.distrust_after_source}
    if root.until:
        entry["left"] = {"date": root.until.isoformat(), "source": root.until_source, **_reason(root, causes)}
    return entry


def _reason(root: Root, causes: list[dict[str, object]]) -> dict[str, object]:
    for cause in causes:
        names = [str(each) for each in cause["names"]]  # type: ignore[attr-defined]
        subject = str(root.certificate.subject)
        if any(re.search(each, root.name) or re.search(each, subject) for each in names):
            return {"reason": cause["reason"], "note": cause["note"], "note_source": cause["source"]}
    not_after = root.certificate.not_after
    if not_after and root.until and not_after.date() <= root.until:
        return {"reason": "expired"}
    if "1957685" in root.until_source or _by_age(root):
        return {"reason": "age"}
    return {"reason": "unknown"}


def _by_age(root: Root) -> bool:
    """Whether the root left in the batch that Mozilla's root store policy, section 7.4, sets for keys of its age."""
    created, until = root.certificate.not_before, root.until
    return bool(created and until and created.date() < date(2008, 1, 1) and abs((until - date(2026, 4, 15)).days) < 30)


def _plain(entry: dict[str, object]) -> dict[str, object]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in entry.items()}


def _day(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).date().isoformat() if moment else None


def _git(checkout: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(checkout), *arguments], check=True, capture_output=True).stdout


def main() -> None:
    """Collect, and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nss", type=Path, required=True)
    parser.add_argument("--certifi", type=Path, required=True)
    arguments = parser.parse_args()
    nss = list(nss_snapshots(arguments.nss))
    certifi = list(certifi_snapshots(arguments.certifi, nss[-1].date))
    newest = max(snapshot.date for snapshot in (*nss, *certifi))
    sources = [
        {"name": "Mozilla NSS, lib/ckfw/builtins/certdata.txt", "version": nss[-1].source, "date": str(nss[-1].date)},
        {"name": "certifi on PyPI", "version": certifi[-1].source, "date": str(certifi[-1].date)},
    ]
    result = document(roots_of((*nss, *certifi)), sources, newest)
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(result['roots'])} roots, {len(result['incidents'])} incidents, {newest}")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
