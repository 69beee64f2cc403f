"""``[[render]]`` of a config: the variables of templates, and the rendered files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rootfs_trust.clients.table import JAVA_STORES
from rootfs_trust.errors import COLLISION, PRIVATE_KEY, InputError
from rootfs_trust.inputs.templates import Template
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rendering.render import RenderRequest, TemplateTrust, rendered
from rootfs_trust.rootfs.view import File, View
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.x509 import encode, private_key_form


def render_files(
    view: View,
    layout: Layout,
    store: StorePlan,
    templates: Iterable[Template],
    clouds: tuple[str, ...],
    taken: Mapping[str, str],
) -> StorePlan:
    """Render ``templates`` for the planned ``store``. ``taken`` maps each other path that the run writes to a
    description of its writer.
    """
    plan = StorePlan()
    trust = trust_of(view, layout, store, clouds)
    writers = dict(taken)
    for table, name, text in templates:
        writer = writers.setdefault(table.dest, f"{table.key} ({name})")
        if writer != f"{table.key} ({name})":
            message = f"{table.key}.dest {table.dest} is also written by {writer}"
            plan.problems.append(COLLISION(table.where, message))
            continue
        try:
            request = RenderRequest(name, text, table.dest, table.mode, table.values, table.replace)
            files, conflicts = rendered(view, [request], trust)
            if form := private_key_form(files[table.dest].content):
                message = f"{table.key}: {name} would put a private key ({form}) into {table.dest}"
                hint = "delete the key from the template and its values"
                plan.problems.append(PRIVATE_KEY(table.where, message, hint))
            plan.desired |= files
            plan.conflicts += conflicts
        except InputError as error:
            plan.problems += error.problems
    return plan


def trust_of(view: View, layout: Layout, store: StorePlan, clouds: tuple[str, ...]) -> TemplateTrust:
    """Return the template variables about the planned trust store."""
    return TemplateTrust(layout.bundle, layout.hash_directory, _anchors(store), clouds, _java(view, store))


def _anchors(store: StorePlan) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {
            "name": each.name,
            "subject": each.certificate.subject.text,
            "sha256": each.certificate.sha256,
            "pem": encode(each.certificate.der).decode(),
        }
        for each in store.installed
    )


def _java(view: View, store: StorePlan) -> str:
    return next((path for path in JAVA_STORES if path in store.desired or view.kind(path) is File), "")
