"""Differences between releases of Fedora and its derivatives: older ones write fewer outputs, newer ones ship fewer
links.
"""

from __future__ import annotations

from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import TrustExtract
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import read

_SCRIPT = "/usr/bin/update-ca-trust"
_WITHOUT_DIRECTORY = ("mariner", "azurelinux 3", "amzn 2", "centos 7", "rhel 7", "centos 8", "rhel 8")
"""ID and major version whose update-ca-trust has no pem-directory-hash (Mariner 2.0, Amazon Linux, EL 7 and 8).

Azure Linux 3: microsoft/azurelinux 8bc6caa8b9, SPECS/ca-certificates/update-ca-trust.
"""
_WITHOUT_OLD_LINKS = {"fedora": 44, "rhel": 10, "centos": 10, "rocky": 10, "almalinux": 10, "ol": 10}
"""The first release without /etc/pki/tls/cert.pem and the bundles in /etc/pki/tls/certs."""
_OLD_LINKS = ("/etc/pki/tls/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-bundle.trust.crt")


def as_released(device: Device, layout: Layout) -> Layout:
    """Remove the outputs from ``layout`` that the rootfs's update-ca-trust does not write, and the links that its
    release does not ship.

    Nothing on the device would update an output that its tool does not write, so that a certificate removed later would
    stay trusted in it.
    """
    if not isinstance(layout.tool, TrustExtract):
        return layout
    script = (read(device.view, _SCRIPT) or b"").decode("utf-8", "replace")
    tool, has_directory = layout.tool, _release_has_directory(device)
    if _end(layout.bundle) in script:
        tool = tool._replace(bundles=tuple(each for each in tool.bundles if _end(each.path) in script))
        has_directory = _end(layout.hash_directory) in script
    if not has_directory:
        return layout._replace(hash_directory="", tool=tool._replace(directories=(), mirror=None))
    return _without_old_links(device, layout._replace(tool=tool), tool)


def _release_has_directory(device: Device) -> bool:
    return not f"{device.os_release.get('ID', '')} {_major(device)}".startswith(_WITHOUT_DIRECTORY)


def _end(path: str) -> str:
    """Return the last two components of a path. The script contains a variable for the other components."""
    return "/".join(path.split("/")[-2:])


def _without_old_links(device: Device, layout: Layout, tool: TrustExtract) -> Layout:
    first = _WITHOUT_OLD_LINKS.get(device.os_release.get("ID", ""))
    if first is None or _major(device) < first or tool.mirror is None:
        return layout
    links = tuple(each for each in layout.links if each[0] not in _OLD_LINKS)
    return layout._replace(links=links, tool=tool._replace(mirror=tool.mirror._replace(as_found=False)))


def _major(device: Device) -> int:
    version = device.os_release.get("VERSION_ID", "").partition(".")[0]
    return int(version) if version.isascii() and version.isdigit() and len(version) < 6 else 0
