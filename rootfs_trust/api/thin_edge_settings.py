"""Settings of agents for ``install``. Imported only if a setting is requested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.render import render_files
from rootfs_trust.errors import InputError, Problem
from rootfs_trust.inputs.config import CloudTable, Config
from rootfs_trust.inputs.templates import Template
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Desired
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.configure import thin_edge
from rootfs_trust.thin_edge.trust_settings import Setting, cloud_settings, parse_setting


def ask_agents(
    device: Device,
    options: InstallOptions,
    config: Config,
    layout: Layout,
    store: StorePlan,
    templates: Iterable[Template],
    clouds: tuple[str, ...],
) -> StorePlan:
    """Return thin-edge.io's settings and the rendered templates for the planned trust store."""
    settings = _thin_edge(device, options, config, layout, store.desired)
    taken = dict.fromkeys(store.desired, "the trust store") | dict.fromkeys(settings.desired, "thin-edge.io's settings")
    files = render_files(device.view, layout, store, templates, clouds, taken)
    return settings.merge(files)


def _thin_edge(device: Device, options: InstallOptions, config: Config, layout: Layout, store: Desired) -> StorePlan:
    """Return thin-edge.io's settings. A settings file that cannot be read is a problem of the plan."""
    settings: list[Setting] = []
    problems: list[Problem] = []
    for read in _settings(options, config, layout):
        try:
            settings += read()
        except InputError as error:
            problems += error.problems
    try:
        environment = options.settings_as == "env"
        plan = thin_edge(device, settings, store, options.thin_edge, as_environment=environment)
    except InputError as error:
        plan = StorePlan(problems=list(error.problems))
    plan.problems = [*problems, *plan.problems]
    return plan


def _settings(options: InstallOptions, config: Config, layout: Layout) -> Iterator[Callable[[], Iterable[Setting]]]:
    """Yield each source of settings as a function, so that the problems of all of them are collected."""
    yield from (partial(_of_config, cloud, layout) for cloud in config.clouds)
    yield from (partial(_of_cloud, cloud, layout) for cloud in options.clouds)
    yield from (partial(_of_option, text, at_run_time=False) for text in options.set)
    yield from (partial(_of_option, text, at_run_time=True) for text in options.set_at_run_time)


def _of_option(text: str, *, at_run_time: bool) -> Iterator[Setting]:
    yield parse_setting(text, at_run_time=at_run_time)


def _of_config(cloud: CloudTable, layout: Layout) -> list[Setting]:
    name = cloud.kind if cloud.profile is None else f"{cloud.kind}@{cloud.profile}"
    path, at_run_time = cloud.root_cert_path, cloud.at_run_time
    try:
        return list(_of_cloud(name, layout, root_cert_path=path, at_run_time=at_run_time, where=""))
    except InputError as error:
        places = (each._replace(path=cloud.where, message=f"{cloud.key}: {each.message}") for each in error.problems)
        raise InputError(*places) from error


def _of_cloud(
    cloud: str,
    layout: Layout,
    *,
    root_cert_path: str | None = None,
    at_run_time: bool = False,
    where: str | None = None,
) -> Iterator[Setting]:
    """Return the settings of a cloud: the hash directory, or the bundle if the layout has none.

    Without a hash directory, settings that require a directory are not set.
    """
    place = layout.hash_directory or layout.bundle
    for setting in cloud_settings(cloud, place, root_cert_path=root_cert_path, at_run_time=at_run_time, where=where):
        if layout.hash_directory or setting.kind.takes != "directory":
            yield setting
