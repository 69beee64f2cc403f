"""The files that show that a root filesystem has Chromium, Firefox or Mono, and where the browsers read policies."""

from __future__ import annotations

from rootfs_trust.rootfs.view import View

CHROMIUM = (
    (
        "/etc/chromium/policies/managed",
        ("/usr/bin/chromium", "/usr/lib/chromium/chromium", "/usr/lib64/chromium"),
    ),
    ("/etc/chromium-browser/policies/managed", ("/usr/bin/chromium-browser",)),
    ("/etc/opt/chrome/policies/managed", ("/opt/google/chrome/chrome", "/usr/bin/google-chrome")),
    ("/etc/opt/edge/policies/managed", ("/opt/microsoft/msedge/msedge", "/usr/bin/microsoft-edge")),
    ("/etc/brave/policies/managed", ("/opt/brave.com/brave/brave", "/usr/bin/brave-browser")),
)
"""The directory of policies of each browser that is built from Chromium, and its programs."""

FIREFOX_POLICIES = "/etc/firefox/policies/policies.json"
"""The policies of the system, which every Firefox reads, ESR or not."""

FIREFOX = ("/usr/lib/firefox", "/usr/lib/firefox-esr", "/usr/lib64/firefox", "/opt/firefox")
"""The directories in which Firefox is installed."""

FIREFOX_COMMANDS = ("/usr/bin/firefox", "/usr/bin/firefox-esr")
"""The commands of a Firefox that is installed somewhere else."""

MONO_STORE = "/usr/share/.mono"
MONO = ("/usr/bin/mono", "/usr/bin/mono-sgen", "/usr/local/bin/mono", MONO_STORE)
"""The programs of Mono, and its machine store."""

_ALL = (*(path for _, programs in CHROMIUM for path in programs), *FIREFOX, *FIREFOX_COMMANDS, *MONO)


def has_programs(view: View) -> bool:
    """Return whether the root filesystem has one of these programs."""
    return any(map(view.kind, _ALL))
