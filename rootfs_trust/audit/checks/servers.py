"""Findings about servers that, by rootfs-trust.toml, the tree must trust or refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Expectation, Finding, FindingType
from rootfs_trust.audit.first_boot import FirstClock, first_boot_clock, time_sources
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.servers import ENDS, REFUSED, TRUSTED, Server, ServerResult, ends_by_itself, judge_servers
from rootfs_trust.errors import InputError

_ADD = "install the CA that signed the server's certificate, or have the server send its whole chain"
_RENEWED = (
    "the server's own certificate expires first, and its operator renews it; set an earlier day, and save the chain "
    "again after the renewal"
)

SERVER_REFUSED = FindingType(
    REFUSED,
    (ERROR,),
    "A client refuses a server that it must trust",
    "A [[server]] in rootfs-trust.toml names the server. Programs that use this client cannot connect to it.",
    _ADD,
)
SERVER_ENDS = FindingType(
    ENDS,
    (ERROR,),
    "A client trusts a server now, but not until the day in rootfs-trust.toml",
    "Devices with this image lose the connection on the day in the message, unless they are updated before.",
    "also install the CA that the server will use by then, or set an earlier day",
)
SERVER_TRUSTED = FindingType(
    TRUSTED,
    (ERROR,),
    "A client trusts a server that no client may trust",
    "A [[server]] with refused = true names the server, such as one behind an inspection proxy of the build network.",
    "remove the CA that the server's chain leads to; the verdict of verify names it",
)
SERVER_UNJUDGED = FindingType(
    "server-unjudged",
    (ERROR,),
    "The servers in rootfs-trust.toml could not be checked",
    "The verdicts of OpenSSL's clients come from OpenSSL itself, through pyOpenSSL.",
    "pip install 'rootfs-trust[verify]'",
)
SERVER_TIME = FindingType(
    "server-needs-time",
    (NOTE, WARNING),
    "A device cannot connect to a server before its clock is set",
    "A device without a battery-backed clock starts with the time of its image, and the server's certificate is not "
    "valid yet at that time. It is a warning if the program that sets the clock needs TLS itself (chrony or ntpsec "
    "with NTS, htpdate): it may be unable to set the clock. systemd-timesyncd and plain NTP need no TLS.",
    "start the programs after the clock is set (time-sync.target). Let chrony ignore the dates of certificates "
    "(nocerttimecheck 1), or use one server without NTS",
)
KINDS = (SERVER_REFUSED, SERVER_ENDS, SERVER_TRUSTED, SERVER_UNJUDGED, SERVER_TIME)
_BY_ID = {kind.id: kind for kind in KINDS}


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each client that does not meet the expectation of a server, and for each named client that
    the tree does not have.
    """
    if not inspection.servers:
        return
    from rootfs_trust.audit.verify import openssl_engine

    try:
        openssl_engine.require()
    except InputError as error:
        first = inspection.servers[0]
        yield _for_client(SERVER_UNJUDGED.found(first.where, error.problems[0].message), first, "")
        return
    results = tuple(judge_servers(inspection.device, inspection.servers, inspection.at))
    for result in results:
        yield from _findings(result)
    clock = first_boot_clock(inspection.view)
    if clock is not None and clock.at < inspection.at:
        yield from _at_first_boot(inspection, clock, results)


def _findings(result: ServerResult) -> Iterator[Finding]:
    server = result.server
    for each in result.clients:
        if each.problem:
            word = {REFUSED: "refuses", ENDS: "trusts", TRUSTED: "trusts"}[each.problem]
            message = f"{each.verdict.client} {word} the server {server.name}: {each.reason}"
            renewed = each.problem == ENDS and ends_by_itself(server, each)
            fix = _RENEWED if renewed else ""
            found = _BY_ID[each.problem].found(_first(each.verdict.searched), message, fix=fix)
            yield _for_client(found, server, each.verdict.client)
    for name in result.absent:
        if not server.refused:
            message = f"the server {server.name} is for the client {name}, which is not in the root filesystem"
            fix = "remove the client from the table, or add its store"
            yield _for_client(SERVER_REFUSED.found(server.where, message, fix=fix), server, name)


def _at_first_boot(inspection: Inspection, clock: FirstClock, results: tuple[ServerResult, ...]) -> Iterator[Finding]:
    """Yield servers that clients trust at the time of the check, but refuse with the clock of the first boot."""
    expected = [server for server in inspection.servers if not server.refused]
    now = {
        result.server.name: {each.verdict.client for each in result.clients if each.verdict.trusted}
        for result in results
    }
    for result in judge_servers(inspection.device, expected, clock.at):
        refused = [each.verdict for each in result.clients if not each.verdict.trusted]
        lost = [each for each in refused if each.client in now[result.server.name]]
        if lost:
            clients = ", ".join(each.client for each in lost)
            message = (
                f"{clients} cannot connect to {result.server.name} with the clock of the first boot, {clock.at.date()}"
            )
            waits, source = _time_source(inspection)
            text = f"{message}: {lost[0].reason}; {source}"
            found = SERVER_TIME.found(clock.path, text, level=WARNING if waits else NOTE)
            yield _for_client(found, result.server, "")


def _time_source(inspection: Inspection) -> tuple[bool, str]:
    """Return whether every program that sets the clock needs TLS, and a clause that names one of these programs."""
    sources = time_sources(inspection.view)
    plain = [each for each in sources if not each.needs_tls]
    if plain:
        return False, f"{plain[0].name} sets the clock without TLS ({plain[0].path})"
    if sources:
        return True, f"{sources[0].name} needs TLS to set the clock ({sources[0].path})"
    return False, "no program that sets the clock was found"


def _for_client(finding: Finding, server: Server, client: str) -> Finding:
    name = f"{server.name} {client}".strip()
    return replace(finding, name=name, expectation=Expectation(server.name, client, server.where))


def _first(searched: str) -> str:
    """Return the first file or directory in which a client looked."""
    return searched.partition(" and ")[0].partition(" (")[0]
