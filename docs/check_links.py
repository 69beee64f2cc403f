"""Checks the links between the pages of the built site: ``python docs/check_links.py build/docs``.

Prints each link that leads to no file or to no heading, and then exits with 1. External links are not followed.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The ids and the links of a page, and the files that it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids, self.links = {""}, set[str]()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect ``id``, ``href`` and ``src``."""
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in ("href", "src"):
                self.links.add(value or "")


def broken(site: Path) -> list[str]:
    """The links that lead nowhere, as "page: link"."""
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    return [f"{path.relative_to(site)}: {link}" for path in pages for link in sorted(pages[path].links)
            if not _leads_somewhere(path, link, pages)]  # fmt: skip


def _leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return True
    goal = (path.parent / unquote(url.path)).resolve() if url.path else path
    if goal in pages:
        return unquote(url.fragment) in pages[goal].ids
    return goal.is_file()


if __name__ == "__main__":
    found = broken(Path(sys.argv[1]).resolve())
    print("\n".join(found))
    sys.exit(bool(found))
