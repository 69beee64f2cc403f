"""What installing one CA into a full Debian store costs, beside Debian's own update-ca-certificates.

    python benchmarks/install.py [--runs N] [--certificates DIR]

Both work on the same data, in folders of the same file system, each from a fresh copy every time and by turns:
the certificates that Debian ships (about 140), a list that trusts all of them, and one private CA more. Debian's
tool is the real script with the real openssl; its options --certsconf, --certsdir, --localcertsdir and
--etccertsdir point it at its folder, so that it needs neither root nor chroot, and --hooksdir "" spares it the
hooks. It has to be given the CA as a file in its local folder; ours reads, checks and places it, too. What is timed
is the whole process, from fork to exit, with its children. Bytecode is cached, as after any installation.

Rows: a store that is complete is given one CA more; a store is built from nothing, that CA included; and a run that
finds nothing to do. On the other side stand --fresh, --fresh, and a run without it, which finds nothing to do either.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
STORE = "etc/ssl/certs"
SHIPPED = "usr/share/ca-certificates"
LOCAL = "usr/local/share/ca-certificates"
CONF = "etc/ca-certificates.conf"


@dataclass
class Times:
    """Seconds of each run: by the clock, and of processor time (user and system, children included)."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, *words: str | Path, ok: tuple[int, ...] = (0,)) -> None:
        start = time.perf_counter()
        process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stdout:
            process.stdout.close()
        if process.returncode not in ok:
            raise SystemExit(f"{words[0]} failed: {output.decode(errors='replace')}")

    def text(self) -> str:
        return f"{statistics.median(self.wall) * 1000:8.0f} {statistics.median(self.cpu) * 1000:8.0f}"


class Bench:
    """Prepares root filesystems and runs either side on them."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self._directory = folder
        self._ours = [str(Path(sys.executable).with_name("rootfs-trust"))]
        if not os.access(self._ours[0], os.X_OK):
            self._ours = [sys.executable, "-m", "rootfs_trust"]
        self._theirs = shutil.which("update-ca-certificates", path=ENVIRONMENT["PATH"])
        if self._theirs is None or shutil.which("openssl", path=ENVIRONMENT["PATH"]) is None:
            raise SystemExit("update-ca-certificates and openssl are needed: apt-get install ca-certificates openssl")
        self.ca_file = folder / "my-ca.pem"
        self.ca_file.write_bytes(_private_ca())
        self._empty = self._rootfs(certificates)

    def _rootfs(self, certificates: Path) -> Path:
        root = self._directory / "empty"
        shutil.copytree(certificates, root / SHIPPED)
        for name in (STORE, LOCAL, "var/lib/dpkg"):
            (root / name).mkdir(parents=True)
        (root / "etc/os-release").write_text("ID=debian\n")
        self.names = sorted(
            (str(file.relative_to(certificates)) for file in certificates.rglob("*.crt")), key=os.fsencode
        )
        if not self.names:
            raise SystemExit(f"{certificates} holds no .crt file")
        (root / CONF).write_text("".join(f"{name}\n" for name in self.names))
        return root

    def fresh(self, *, complete: Callable[[Path], None] | None = None) -> Path:
        root = self._directory / "rootfs"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self._empty, root, symlinks=True)
        if complete:
            complete(root)
        os.sync()
        return root

    def ours(self, root: Path, times: Times, *, ca: bool = True) -> None:
        times.run(*self._ours, "install", "--root", root, *(("--cert", self.ca_file) if ca else ()))

    def look(self, command: str, root: Path, times: Times) -> None:
        times.run(*self._ours, command, "--root", root)

    def theirs(self, root: Path, times: Times, *, ca: bool = True, fresh: bool = True) -> None:
        if ca:
            shutil.copy(self.ca_file, root / LOCAL / "my-ca.crt")
        words = [self._theirs or "", *(("--fresh",) if fresh else ()), "--hooksdir", ""]
        places = {"--certsconf": CONF, "--certsdir": SHIPPED, "--localcertsdir": LOCAL, "--etccertsdir": STORE}
        times.run(*words, *(word for option, name in places.items() for word in (option, root / name)))


def _private_ca() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Benchmark Root CA")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=365))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def measure(bench: Bench, runs: int) -> dict[str, tuple[Times, Times]]:
    rows = {name: (Times(), Times()) for name in ("one CA more", "from nothing", "nothing to do")}
    unmeasured = Times()
    bench.ours(bench.fresh(), unmeasured)
    bench.theirs(bench.fresh(), unmeasured)
    for _ in range(runs):
        ours, theirs = rows["one CA more"]
        bench.ours(bench.fresh(complete=lambda root: bench.ours(root, unmeasured, ca=False)), ours)
        bench.theirs(bench.fresh(complete=lambda root: bench.theirs(root, unmeasured, ca=False)), theirs)
        ours, theirs = rows["from nothing"]
        ours_again, theirs_again = rows["nothing to do"]
        root = bench.fresh()
        bench.ours(root, ours)
        bench.ours(root, ours_again)
        root = bench.fresh()
        bench.theirs(root, theirs)
        bench.theirs(root, theirs_again, fresh=False)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of each, by turns; medians are printed (default 7)")
    parser.add_argument(
        "--certificates", type=Path, default=Path("/") / SHIPPED, help=f"the shipped certificates (default /{SHIPPED})"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-benchmark-") as folder:
        bench = Bench(Path(folder), options.certificates)
        rows = measure(bench, options.runs)
    print(f"{len(bench.names)} shipped CAs and one more; medians of {options.runs} runs by turns; milliseconds")
    print()
    print(f"{'':15} {'rootfs-trust install':^17}   {'update-ca-certificates':^17}   {'share of':>8}")
    print(f"{'':15} {'wall':>8} {'user+sys':>8}      {'wall':>8} {'user+sys':>8}      its wall")
    for name, (ours, theirs) in rows.items():
        share = statistics.median(ours.wall) / statistics.median(theirs.wall)
        print(f"{name:15} {ours.text()}      {theirs.text()}      {share:8.3f}")


if __name__ == "__main__":
    main()
