"""``[[render]]`` of a config: what templates may know of the store, and the files that they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rootfs_trust.agents.answer import AgentAnswer
from rootfs_trust.agents.render import RenderRequest, Trust, rendered
from rootfs_trust.errors import InputError
from rootfs_trust.inputs.templates import Template
from rootfs_trust.rootfs.nodes import File, View
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.request import Answer
from rootfs_trust.x509 import encode

JAVA_STORES = (
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/var/lib/ca-certificates/java-cacerts",
    "/etc/ca-certificates/extracted/java-cacerts.jks",
)


def render_files(
    view: View, layout: Layout, store: Answer, templates: Iterable[Template], clouds: tuple[str, ...]
) -> AgentAnswer:
    """The files of ``templates``, rendered with what ``store`` is going to be."""
    answer = AgentAnswer()
    trust = trust_of(view, layout, store, clouds)
    for table, name, text in templates:
        try:
            request = RenderRequest(name, text, table.dest, table.mode, table.values, table.replace)
            files, conflicts = rendered(view, [request], trust)
            answer.desired |= files
            answer.conflicts += conflicts
        except InputError as error:
            answer.troubles += error.troubles
    return answer


def trust_of(view: View, layout: Layout, store: Answer, clouds: tuple[str, ...]) -> Trust:
    """What is to be told of the store that is going to be."""
    return Trust(layout.bundle, layout.hash_directory, _anchors(store), clouds, _java(view, store))


def _anchors(store: Answer) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {
            "name": each.name,
            "subject": each.certificate.subject.text,
            "sha256": each.certificate.sha256,
            "pem": encode(each.certificate.der).decode(),
        }
        for each in store.installed
    )


def _java(view: View, store: Answer) -> str:
    return next((path for path in JAVA_STORES if path in store.desired or view.kind(path) is File), "")
