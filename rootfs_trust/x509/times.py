"""Parse the times of certificates and CRLs (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import GENERALIZED_TIME, SEQUENCE, UTC_TIME, DerReader, tag_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

# Tag and contents.
Time = tuple[int, bytes]


def take_time(reader: DerReader) -> Time:
    """Take a Time. Its text is not checked, because OpenSSL accepts any text."""
    tag = reader.next_tag()
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise MalformedError(f"{tag_name(tag)} instead of a time")
    return tag, reader.value(tag)


def take_validity(reader: DerReader) -> tuple[Time, Time]:
    """Take a Validity: notBefore and notAfter."""
    body = reader.enter(SEQUENCE)
    times = take_time(body), take_time(body)
    reader.leave(body)
    return times


def parse_time(time: Time) -> datetime | None:
    """Return a Time as a datetime in UTC, or None if it cannot be parsed (RFC 5280, 4.1.2.5).

    As in ASN1_TIME_to_tm, seconds may be missing, an offset may replace the Z, and a fraction of a second is dropped.
    """
    from datetime import UTC, datetime, timedelta

    tag, contents = time
    digits, sign, offset = _split_time(contents)
    if not (digits.isdigit() and offset.isdigit() and len(offset) == 4):
        return None
    if tag == UTC_TIME:
        digits = (b"20" if digits < b"50" else b"19") + digits
    if len(digits) not in (12, 14):
        return None
    parts = [int(digits[:4]), *(int(digits[n : n + 2]) for n in range(4, len(digits), 2))]
    ahead = timedelta(hours=int(offset[:2]), minutes=int(offset[2:]))
    try:
        local = datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]
        return local - ahead if sign == b"+" else local + ahead
    except (ValueError, OverflowError):
        return None


def _split_time(contents: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the digits without fraction, and the sign and digits of the offset."""
    sign = b"-" if b"-" in contents else b"+"
    if contents.endswith(b"Z"):
        text, offset = contents[:-1], b"0000"
    else:
        text, _, offset = contents.partition(sign)
    digits, dot, fraction = text.partition(b".")
    return (b"" if dot and not fraction.isdigit() else digits), sign, offset
