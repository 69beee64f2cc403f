"""Headless Chromium, driven by its DevTools protocol through a pipe."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.peers import PLAIN_ENVIRONMENT, peer

_AXE = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
_WIDER = """
[...document.querySelectorAll('body *')].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width > 1 && box.right > document.documentElement.clientWidth + 1 && !each.closest('.skip, .scroll');
}).map(each => each.outerHTML.slice(0, 100))
"""


class Page:
    """One tab. ``complaints`` are the exceptions and console messages of the page that is open."""

    def __init__(self, to: int, come: int) -> None:
        self._to, self._come = to, come
        self._number, self._rest, self._session = 0, b"", None
        self.complaints: list[str] = []
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._do(f"{domain}.enable")

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, media: str = "") -> None:
        """Open ``url`` in a window of ``width`` CSS pixels, and wait until it is loaded."""
        self._do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._do("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.complaints.clear()
        self._do("Page.navigate", url=url)
        while self._message().get("method") != "Page.loadEventFired":
            pass

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        done = self._do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def violations(self, axe: str) -> list[tuple[str, str, list[str]]]:
        """What axe-core finds: impact, rule, and the elements."""
        self.run(axe)
        return [(each["impact"], each["id"], [node["html"] for node in each["nodes"]]) for each in self.run(_AXE)]

    def wider_than_the_window(self) -> list[str]:
        """The elements that reach beyond the right edge, outside of boxes that scroll."""
        return self.run(_WIDER)

    def screenshot(self, *, height: int) -> bytes:
        """The top of the page as WebP."""
        size = self.run("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(height, size[1]), "scale": 1}
        shot = self._do("Page.captureScreenshot", format="webp", quality=80, clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self._do("Page.printToPDF", printBackground=False)["data"])

    def _do(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != number:
            pass
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._come, 1 << 20)
            assert more, "Chromium has ended"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(text)
        if message.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.complaints.append(json.dumps(message["params"]))
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Run Chromium with its own profile, and give one tab."""
    take, to = os.pipe()
    come, give = os.pipe()
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"]
    words = [peer("chromium"), *options, f"--user-data-dir={profile}", "about:blank"]
    running = subprocess.Popen(
        [peer("bash"), "-c", f'exec "$@" 3<&{take} 4>&{give}', "bash", *words],
        env={**PLAIN_ENVIRONMENT, "HOME": str(profile)},
        pass_fds=(take, give),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(take)
    os.close(give)
    try:
        yield Page(to, come)
    finally:
        os.close(to)
        os.close(come)
        running.terminate()
        running.wait(timeout=30)
