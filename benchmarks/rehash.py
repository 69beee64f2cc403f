"""Compares `rootfs-trust rehash` with `openssl rehash` (C) and `c_rehash` (Perl) on folders of certificates.

Usage: python benchmarks/rehash.py [COUNT...]     default: 140 1000 10000

Each program makes all the links of a folder without links; the runs take turns, and the folder is cleared before
each. It lies in memory (/dev/shm), so that programs are compared and not disks. Printed are medians of user plus
system time, peak memory where GNU time is installed, and ratios of the same run. `c_rehash` starts openssl twice
for each certificate, so it runs once per size, and at 10,000 only with --slow.
"""

from __future__ import annotations

import datetime
import os
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

HASH_LINK = re.compile(r"[0-9a-f]{8}\.[0-9]+")
OURS = [str(Path(sys.executable).with_name("rootfs-trust")), "rehash", "-q"]
RUNS = 5
GNU_TIME = os.path.exists("/usr/bin/time")


def main(words: list[str]) -> None:
    counts = [int(word) for word in words if word.isdigit()] or [140, 1000, 10000]
    print(f"{'certificates':>12}  {'program':<16} {'cpu s':>8} {'peak MiB':>9} {'ours/it':>8}")
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.path.isdir(memory) else None) as folder:
        made: list[bytes] = []
        for count in sorted(counts):
            make(Path(folder), made, count)
            compare(folder, count, slow="--slow" in words)


def compare(folder: str, count: int, *, slow: bool) -> None:
    programs = {"openssl rehash": ["openssl", "rehash"], "rootfs-trust": OURS}
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, command in programs.items():
            clear(folder)
            results[name].append(measure([*command, folder]))
    idle = measure([*OURS, folder])
    if shutil.which("c_rehash") and (count < 10000 or slow):
        clear(folder)
        results["c_rehash"] = [measure(["c_rehash", folder])]
    ours = statistics.median(cpu for cpu, _ in results["rootfs-trust"])
    for name, runs in results.items():
        row(count, name, statistics.median(cpu for cpu, _ in runs), max(peak for _, peak in runs), ours)
    row(count, "ours, no change", *idle, ours)


def row(count: int, name: str, cpu: float, peak: float, ours: float) -> None:
    print(f"{count:>12}  {name:<16} {cpu:>8.3f} {peak:>9.1f} {ours / cpu:>8.2f}", flush=True)


def measure(command: list[str]) -> tuple[float, float]:
    """User plus system seconds, and the peak of memory in MiB (0 without GNU time), of a whole process."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.NamedTemporaryFile("r") as report:
        timed = ["/usr/bin/time", "-o", report.name, "-f", "%M", *command] if GNU_TIME else command
        null = os.open(os.devnull, os.O_WRONLY)
        actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
        pid = os.posix_spawnp(timed[0], timed, environment, file_actions=actions)
        os.close(null)
        _, status, usage = os.wait4(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"{command} failed")
        peak = int(report.read() or 0) if GNU_TIME else 0
    return usage.ru_utime + usage.ru_stime, peak / 1024


def clear(folder: str) -> None:
    for name in os.listdir(folder):
        if HASH_LINK.fullmatch(name):
            os.unlink(os.path.join(folder, name))


def make(folder: Path, made: list[bytes], count: int) -> None:
    """Fill ``folder`` up to ``count`` certificates: Debian's own first, then CAs with RSA keys as most of those."""
    if not made:
        made += [path.read_bytes() for path in sorted(Path("/usr/share/ca-certificates/mozilla").glob("*.crt"))]
        made[count:] = []
    key = rsa.generate_private_key(65537, 2048)
    made += [certificate(key, number) for number in range(len(made), count)]
    for number, pem in enumerate(made):
        (folder / f"{number:05}.pem").write_bytes(pem)


def certificate(key: rsa.RSAPrivateKey, number: int) -> bytes:
    attributes = (
        (NameOID.COUNTRY_NAME, "DE"),
        (NameOID.ORGANIZATION_NAME, "Benchmark Trust Services GmbH"),
        (NameOID.COMMON_NAME, f"Benchmark Root CA {number}"),
    )
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), number + 1, now, now + datetime.timedelta(3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


if __name__ == "__main__":
    main(sys.argv[1:])
