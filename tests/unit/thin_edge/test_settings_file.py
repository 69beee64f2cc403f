"""A file's own names: what thin-edge.io takes under two names is set under the one that is there."""

import tomllib

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File
from rootfs_trust.thin_edge.configure import FILE, thin_edge
from rootfs_trust.thin_edge.trust_settings import parse_setting
from tests.support.memory import MemoryTree


@pytest.mark.parametrize(
    ("text", "setting", "table"),
    [
        ('[azure]\nurl = "x"\n', "az.root_cert_path=/s", {"azure": {"url": "x", "root_cert_path": "/s"}}),
        (
            '[azure.profiles.a]\nurl = "x"\n',
            "az.profiles.a.root_cert_path=/s",
            {"azure": {"profiles": {"a": {"url": "x", "root_cert_path": "/s"}}}},
        ),
        ('[az]\nurl = "x"\n', "az.root_cert_path=/s", {"az": {"url": "x", "root_cert_path": "/s"}}),
        (
            '[mqtt.client.auth]\ncafile = "/old"\n',
            "mqtt.client.auth.ca_file=/s/0123abcd.0",
            {"mqtt": {"client": {"auth": {"cafile": "/s/0123abcd.0"}}}},
        ),
        (
            '[mqtt.client.auth]\ncadir = "/old"\n',
            "mqtt.client.auth.ca_dir=/s",
            {"mqtt": {"client": {"auth": {"cadir": "/s"}}}},
        ),
    ],
)
def test_an_existing_alias_is_kept(text, setting, table):
    view = MemoryTree({FILE: File(f'[config]\nversion = "2"\n{text}'.encode()), "/s/0123abcd.0": File(b"")})
    answer = thin_edge(Device(view), [parse_setting(setting)], {})
    assert answer.problems == []
    assert tomllib.loads(answer.desired[FILE].content.decode()) == {"config": {"version": "2"}, **table}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[az]\nurl = "x"\n[azure]\nurl = "y"\n', "az and azure"),
        ('[mqtt.client.auth]\ncafile = "/a"\nca_file = "/b"\n', "mqtt.client.auth.ca_file and mqtt.client.auth.cafile"),
        ("\ufeff", "byte order mark"),
    ],
)
def test_files_that_thin_edge_refuses_are_refused(text, says):
    view = MemoryTree({FILE: File(f'{text}[config]\nversion = "2"\n'.encode())})
    with pytest.raises(InputError, match=says):
        thin_edge(Device(view), [parse_setting("c8y.root_cert_path=/s")], {})
