"""Draws the terminal of the README: ``python docs/terminal.py [DIRECTORY]``.

Runs the commands on the sample root filesystem, in a terminal of 102 columns, and writes what they print as two SVG files: one
for light pages, one for dark ones. The same commands and messages give the same bytes.
"""

from __future__ import annotations

import html
import os
import pty
import re
import runpy
import shlex
import struct
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

REPOSITORY = Path(__file__).parents[1]
SCREENSHOTS = REPOSITORY / "docs/screenshots"
COLUMNS = 102
COMMANDS = (
    "rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y",
    "rootfs-trust verify --root ./rootfs --chain server.pem --hostname mqtt.example.com --at 2030-01-01",
)
_BEGIN, _END, _SERVER_END = (datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2049, 2031))
_CLASSES = {"1": "bold", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
_COLOURS = {
    "light": {"paper": "#f6f8fa", "line": "#d0d7de", "ink": "#1b1f24", "soft": "#57606a", "red": "#b42318",
              "green": "#1a7f37", "yellow": "#8a5a00", "cyan": "#0550ae"},
    "dark": {"paper": "#0d1117", "line": "#3d444d", "ink": "#e6edf3", "soft": "#9da7b3", "red": "#ff9b93",
             "green": "#56d364", "yellow": "#e3b341", "cyan": "#79c0ff"},
}  # fmt: skip
_WIDTH, _HEIGHT, _MARGIN = 8.43, 20, 16
"""Of a character and a line, and around the text, in pixels."""


def main(directory: Path) -> None:
    """Write terminal-light.svg and terminal-dark.svg into ``directory``."""
    lines = session()
    for scheme, colours in _COLOURS.items():
        (directory / f"terminal-{scheme}.svg").write_text(drawing(lines, colours))


def session() -> list[str]:
    """The lines of the terminal, with its escape sequences for colours."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        make_sample(Path(place))
        for command in COMMANDS:
            lines += [f"\x1b[1m$ {command}\x1b[0m", *run(command, place), ""]
    return lines[:-1]


def make_sample(place: Path) -> None:
    """Make the sample of the README, with a CA and a server whose dates are fixed."""
    os.rmdir(place)
    runpy.run_path(str(REPOSITORY / "recipes/sample/make.py"))["main"](place)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("My Company Root CA", "broker")]
    for name, subject, end in (("my-ca.pem", names[0], _END), ("server.pem", names[1], _SERVER_END)):
        is_ca = name == "my-ca.pem"
        builder = x509.CertificateBuilder(
            names[0], subject, key.public_key(), 1 if is_ca else 2, _BEGIN, end
        ).add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        if not is_ca:
            host = x509.SubjectAlternativeName([x509.DNSName("mqtt.example.com")])
            builder = builder.add_extension(host, critical=False)
        (place / name).write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def run(command: str, place: str) -> list[str]:
    """What ``command`` prints on a terminal. It must succeed."""
    ours, its = pty.openpty()
    ioctl(its, TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    words = [sys.executable, "-m", "rootfs_trust", *shlex.split(command)[1:]]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }
    running = subprocess.Popen(words, cwd=place, env=environment, stdin=its, stdout=its, stderr=its)  # noqa: S603
    os.close(its)
    printed = bytearray()
    while more := _read(ours):
        printed += more
    os.close(ours)
    if running.wait():
        raise SystemExit(f"{command}: exit status {running.returncode}\n{printed.decode()}")
    return printed.decode().replace("\r\n", "\n").rstrip("\n").split("\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's answer when the program has closed its end
        return b""


def drawing(lines: list[str], colours: dict[str, str]) -> str:
    """The SVG of a terminal with these lines."""
    width, height = COLUMNS * _WIDTH + 2 * _MARGIN, len(lines) * _HEIGHT + 2 * _MARGIN
    style = "".join(f".{name}{{fill:{colours[name]}}}" for name in ("red", "green", "yellow", "cyan"))
    said = html.escape(" ".join(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines)).split()))
    rows = "\n".join(
        f'<text x="{_MARGIN}" y="{_MARGIN + number * _HEIGHT + 14}" xml:space="preserve">{spans(line)}</text>'
        for number, line in enumerate(lines)
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img">
<title>{said}</title>
<style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:{colours["ink"]}}}\
.bold{{font-weight:bold}}{style}</style>
<rect width="100%" height="100%" rx="8" fill="{colours["paper"]}" stroke="{colours["line"]}"/>
{rows}
</svg>
"""


def spans(line: str) -> str:
    """One line as text of an SVG; what has a colour is a tspan."""
    parts = re.split(r"\x1b\[([0-9;]*)m", line)
    texts = [html.escape(parts[0])]
    for code, text in zip(parts[1::2], parts[2::2], strict=True):
        name = _CLASSES.get(code)
        texts.append(f'<tspan class="{name}">{html.escape(text)}</tspan>' if name and text else html.escape(text))
    return "".join(texts)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SCREENSHOTS)
