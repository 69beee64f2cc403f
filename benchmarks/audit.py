"""What looking at a finished tree costs, beside making it: `check` and `list` beside update-ca-certificates --fresh.

    python benchmarks/audit.py [--runs N] [--certificates DIR] [--slow]

All work on the same data: the store of the certificates that Debian ships (about 140), complete, with one private CA.
Debian's tool is the real script with the real openssl, as in benchmarks/install.py, and builds it anew in a copy of its
own. What is timed is the whole process, from fork to exit, by turns. Then `check` and `list` on stores of 100, 1,000
and, with --slow, 10,000 CAs: the time for each certificate must not grow.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install as building

COMMANDS = ("check", "list")


def measure(bench: building.Bench, runs: int) -> dict[str, building.Times]:
    """Runs by turns on the full store."""
    times = {name: building.Times() for name in (*COMMANDS, "update-ca-certificates --fresh")}
    theirs = bench.fresh()
    ours = theirs.with_name("audited")
    theirs.rename(ours)
    bench.ours(ours, building.Times())
    theirs = bench.fresh()
    bench.theirs(theirs, building.Times())
    for _ in range(runs):
        for name in COMMANDS:
            bench.look(name, ours, times[name])
        bench.theirs(theirs, times["update-ca-certificates --fresh"], ca=False)
    return times


def many(folder: Path, count: int) -> Path:
    """``count`` CAs of one key, as files of a distribution."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    begin, end = building.datetime(2025, 1, 1), building.datetime(2045, 1, 1)
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    (folder / "made").mkdir(parents=True)
    for number in range(count):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Made Root CA {number}")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(number + 1).not_valid_before(begin).not_valid_after(end)
        certificate = builder.add_extension(constraints, critical=True).sign(key, hashes.SHA256())
        (folder / "made" / f"{number:05}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    return folder


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of each, by turns; medians are printed (default 7)")
    parser.add_argument("--certificates", type=Path, default=Path("/") / building.SHIPPED)
    parser.add_argument("--slow", action="store_true", help="10,000 certificates, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-benchmark-") as folder:
        bench = building.Bench(Path(folder), options.certificates)
        times = measure(bench, options.runs)
    theirs = statistics.median(times["update-ca-certificates --fresh"].wall)
    print(f"{len(bench.names)} shipped CAs and one more; medians of {options.runs} runs by turns; milliseconds\n")
    print(f"{'':32} {'wall':>8} {'user+sys':>8}   {'share of':>8}\n{'':50}   its wall")
    for name, each in times.items():
        print(f"{name:32} {each.text()}   {statistics.median(each.wall) / theirs:8.3f}")
    print(f"\n{'certificates':>12} " + " ".join(f"{name + ', ms':>12} {'ms each':>8}" for name in COMMANDS))
    for count in (100, 1000, *([10000] if options.slow else [])):
        print(_row(count, options.runs))


def _row(count: int, runs: int) -> str:
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-benchmark-") as folder:
        bench = building.Bench(Path(folder), many(Path(folder) / "certificates", count))
        root = bench.fresh()
        bench.ours(root, building.Times())
        cells = []
        for name in COMMANDS:
            times = building.Times()
            for _ in range(min(runs, 3)):
                bench.look(name, root, times)
            cpu = statistics.median(times.cpu) * 1000
            cells.append(f"{cpu:12.0f} {cpu / count:8.3f}")
    return f"{count:12} " + " ".join(cells)


if __name__ == "__main__":
    main()
