"""What `verify` costs on a saved chain, beside another checkout of this project.

    python benchmarks/verify.py [--other CHECKOUT] [--runs N] [--certificates DIR]

The tree is a full Debian store (about 140 CAs) with one private CA; the chain is a server of that CA with two
intermediates. Each run is a whole process, from fork to exit, of this checkout and of OTHER by turns, with the same
Python and packages. Verdicts come for every client of the tree.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install as building

HERE = Path(__file__).resolve().parents[1]


def chain(folder: Path) -> tuple[Path, Path]:
    """A root, and a server's certificate below it with two intermediates; both as files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    now = datetime.now(UTC)
    made: list[tuple[x509.Certificate, ec.EllipticCurvePrivateKey]] = []
    for name in ("Benchmark Root", "Issuer 1", "Issuer 2", "device.example"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer, signer = (made[-1][0].subject, made[-1][1]) if made else (subject, key)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=300))
        builder = builder.add_extension(x509.BasicConstraints(name != "device.example", None), critical=True)
        if name == "device.example":
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        made.append((builder.sign(signer, hashes.SHA256()), key))
    root, sent = folder / "root.pem", folder / "chain.pem"
    root.write_bytes(made[0][0].public_bytes(Encoding.PEM))
    sent.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each, _ in reversed(made[1:])))
    return root, sent


def main() -> None:
    """Print the median and the least of both checkouts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, help="another checkout")
    parser.add_argument("--runs", type=int, default=15, help="runs of each, by turns (default 15)")
    parser.add_argument("--certificates", type=Path, default=Path("/") / building.SHIPPED)
    options = parser.parse_args()
    checkouts = [HERE, *([options.other] if options.other else [])]
    times = {checkout: building.Times() for checkout in checkouts}
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-benchmark-") as folder:
        root, sent = chain(Path(folder))
        tree = building.Bench(Path(folder), options.certificates).fresh()
        program = [sys.executable, "-m", "rootfs_trust"]
        words = ["install", "--root", str(tree), "--cert", str(root)]
        subprocess.run([*program, *words], cwd=HERE, check=True, capture_output=True)
        words = ["verify", "--root", str(tree), "--chain", str(sent), "--hostname", "device.example"]
        for _ in range(options.runs):
            for checkout in checkouts:
                building.ENVIRONMENT["PYTHONPATH"] = str(checkout)
                os.chdir(checkout)
                times[checkout].run(*program, *words)
        os.chdir(HERE)
    print(f"medians of {options.runs} runs by turns; milliseconds, and the least processor time\n")
    print(f"{'':40} {'wall':>8} {'user+sys':>8} {'least':>8}")
    for checkout, each in times.items():
        print(f"{checkout.name:40} {each.text()} {min(each.cpu) * 1000:8.0f}")
    if options.other:
        ours, theirs = (statistics.median(times[checkout].cpu) for checkout in checkouts)
        print(f"\nthis checkout takes {ours / theirs:.2f} times the processor time of the other")


if __name__ == "__main__":
    main()
