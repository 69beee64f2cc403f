"""What ``install`` asks of the agents' rooms. Imported only where something is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from rootfs_trust.agents.answer import AgentAnswer
from rootfs_trust.agents.settings import Setting, cloud_settings, parse_setting
from rootfs_trust.agents.thin_edge import thin_edge
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.render import render_files
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.inputs.config import CloudTable, Config
from rootfs_trust.inputs.templates import Template
from rootfs_trust.rootfs.nodes import Desired, View
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.request import Answer


def ask_agents(
    view: View,
    options: InstallOptions,
    config: Config,
    layout: Layout,
    store: Answer,
    templates: Iterable[Template],
    clouds: tuple[str, ...],
) -> AgentAnswer:
    """thin-edge.io's settings and the files of templates, for the store that is going to be."""
    settings = _thin_edge(view, options, config, layout, store.desired)
    files = render_files(view, layout, store, templates, clouds)
    return AgentAnswer(
        {**settings.desired, **files.desired},
        [*settings.troubles, *files.troubles],
        [*settings.conflicts, *files.conflicts],
        [*settings.warnings, *files.warnings],
    )


def _thin_edge(view: View, options: InstallOptions, config: Config, layout: Layout, store: Desired) -> AgentAnswer:
    """The agent's answer; what of it cannot even be read is among the troubles that are refused together."""
    settings: list[Setting] = []
    troubles: list[Trouble] = []
    for read in _settings(options, config, layout):
        try:
            settings += read()
        except InputError as error:
            troubles += error.troubles
    try:
        environment = options.settings_as == "env"
        answer = thin_edge(view, settings, store, options.thin_edge, as_environment=environment)
    except InputError as error:
        answer = AgentAnswer(troubles=list(error.troubles))
    answer.troubles = [*troubles, *answer.troubles]
    return answer


def _settings(options: InstallOptions, config: Config, layout: Layout) -> Iterator[Callable[[], Iterable[Setting]]]:
    """Every place that asks for settings, to be read one by one: each may be wrong in its own way."""
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
        return list(_of_cloud(name, layout, root_cert_path=path, at_run_time=at_run_time))
    except InputError as error:
        places = (replace(each, path=cloud.where, message=f"{cloud.key}: {each.message}") for each in error.troubles)
        raise InputError(*places) from error


def _of_cloud(
    cloud: str, layout: Layout, *, root_cert_path: str | None = None, at_run_time: bool = False
) -> Iterator[Setting]:
    """The settings of a cloud, set to the hash directory, or to the bundle where the layout has none.

    Without a folder there is nothing for the settings that take folders alone, and they stay unset.
    """
    place = layout.hash_directory or layout.bundle
    for setting in cloud_settings(cloud, place, root_cert_path=root_cert_path, at_run_time=at_run_time):
        if layout.hash_directory or setting.kind.takes != "folder":
            yield setting
