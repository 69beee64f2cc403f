"""Services under a few roots, with cross-signs and rotations, and a judge of chains that is none of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tests.support.authority import DAY, NOW, Authority

UNTIL = NOW + 4 * 365 * DAY
LATER = UNTIL + 400 * DAY


@dataclass(frozen=True)
class Service:
    """A server, and all that it sends, its own certificate first."""

    name: str
    sent: tuple[Authority, ...]

    @property
    def pem(self) -> bytes:
        return b"".join(each.pem for each in self.sent)

    def connects(self, anchors: Iterable[Authority], at: datetime) -> bool:
        """Whether the verifier of the cryptography library finds a path at that time."""
        store = [each.certificate for each in anchors]
        if not store:
            return False
        verifier = PolicyBuilder().store(Store(store)).time(at).build_server_verifier(x509.DNSName(self.name))
        try:
            verifier.verify(self.sent[0].certificate, [each.certificate for each in self.sent[1:]])
        except VerificationError:
            return False
        return True


def roots(count: int = 8) -> list[Authority]:
    """Roots, of which every third ends before the day."""
    ends = [NOW + (300 + 100 * number) * DAY if number % 3 == 2 else LATER for number in range(count)]
    return [Authority(f"Root {number}", not_after=end) for number, end in enumerate(ends)]


def services(under: list[Authority], count: int = 30, seed: int = 36) -> list[Service]:
    """Servers under a root; nearly all also send the root as another root has signed it, as clouds do in a rotation."""
    random = Random(seed)
    found: list[Service] = []
    while len(found) < count:
        root = random.choice(under)
        older = random.choice([each for each in under[:3] if each is not root])
        name = f"s{len(found)}.example.com"
        issuing = Authority(f"Issuing {len(found)}", issuer=root, not_after=LATER)
        crossed = () if len(found) % 15 == 0 else (cross_signed(root, older),)
        service = Service(name, (issuing.server(name, not_after=LATER), issuing, *crossed))
        if all(service.connects(under, at) for at in moments(under)):
            found.append(service)
    return found


def cross_signed(root: Authority, by: Authority) -> Authority:
    """The key and name of ``root`` in a certificate that another root has signed."""
    common_name = str(root.name.rfc4514_string()).removeprefix("CN=")
    return Authority(common_name, key=root.key, issuer=by, not_after=by.certificate.not_valid_after_utc)


def moments(under: Iterable[Authority]) -> list[datetime]:
    """Now, the day, and the seconds around each begin and end of a root in between."""
    ends = {
        moment
        for each in under
        for moment in (each.certificate.not_valid_before_utc, each.certificate.not_valid_after_utc)
    }
    around = {moment + seconds * DAY / 86400 for moment in ends for seconds in (-2, 2)}
    return [NOW, *sorted(each for each in around if NOW < each < UNTIL), UNTIL]


def config(directory: Path, found: Iterable[Service], *more: str) -> Path:
    """A rootfs-trust.toml of ``more`` lines and a ``[[server]]`` for each service, its chain beside it."""
    (directory / "chains").mkdir(exist_ok=True)
    tables = []
    for each in found:
        (directory / f"chains/{each.name}.pem").write_bytes(each.pem)
        tables.append(f'[[server]]\nname = "{each.name}"\nchain = "chains/{each.name}.pem"\nhostname = "{each.name}"\n')
    path = directory / "rootfs-trust.toml"
    path.write_text("\n".join([*more, *tables]))
    return path
