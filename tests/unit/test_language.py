"""How the docs and the texts of the code read: plain words, short sentences.

``WORDS`` lists words that the project does not use, each with what to write instead. The test reads all pages, and the
docstrings, comments and messages of the packages in ``PACKAGES``, the comments of the recipes, and the names of tests.
``ALLOWED`` has the exceptions.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import REPOSITORY

WORDS = {
    r"mend(s|ed|ing)?": "fix",
    r"(is|are|was|were|be|been|not|and|which|that) told": "is reported",
    r"told,": "with a warning",
    r"stands? (in the way|against)": "conflicts with",
    r"(it|that|what|which|file|link|line|key|setting|there|here) stands?(?! (in )?for)": "is, exists, contains",
    r"stands? (at|in(?! for)|behind|before|there|here|twice|below)": "is, exists, contains",
    r"lies (in|on|over|below|beside|there|here)": "is in",
    r"at hand": "is available",
    r"all the same": "anyway",
    r"held against": "compared with, checked against",
    r"pass(es|ed)? over": "skip, ignore",
    r"takes? (it |them |that |the \w+ )?(away|out)": "remove, delete",
    r"taken (away|out)": "removed, deleted",
    r"let(s|ting)? (it |them |one )?(in|go)\b": "accept, drop",
    r"(its|their) kin": "its derivatives",
    r"and kin": "and derivatives",
    r"untidy": "malformed",
    r"undivided": "(say what you mean)",
    r"programme": "root program",
    r"rooms?": "package, module",
    r"the nouns?": "file types",
    r"Pure\.": "Does no I/O. (once, in the package)",
    r"anew": "again",
    r"(?<!there )(is|are|was) no (?!longer|more|such|different|match)\w+": "is not a",
    r"small letters?": "lower case",
    r"octets?": "byte",
    r"folders?": "directory",
    r"line of time": "timeline",
    r"leads? (to )?(nowhere|nothing)": "is a dangling link",
    r"in silence|without a word": "silently",
    r"troubles?": "problem",
    r"peers?": "reference program (in tests)",
    r"strangers?": "others",
    r"See View\.": "(delete: it says nothing)",
    r"comes? into being": "is created",
    r"ha(s|ve) to go": "is removed",
    r"as (it|they) should be": "up to date, correct",
    r"of (its|their|your|his|our) own(?= ?[,.;:)]|$| that| and)": "its own",
}
"""Regular expressions of words and phrases, each with what to write instead."""

ALLOWED = (
    r"pem-octets-behind",
    r"`[^`]*`",
    r"https?://\S+",
    r"\(?\w+\.md#[\w-]+\)?",
    r"peer dependenc",
    r"tests/\S+",
    r"room_data",
    r"OCTET STRING",
)
"""Regular expressions of text in which these words are right: code, addresses, names of others."""

PACKAGES = sorted(path.name for path in (REPOSITORY / "rootfs_trust").iterdir() if path.name != "__pycache__")
"""Packages and modules of ``rootfs_trust``: the texts of all of them are checked."""

RECIPES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "recipes").rglob("*")
    if path.is_file() and path.suffix not in (".md", ".pyc")
)

TESTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "tests").rglob("test_*.py")
    if path.relative_to(REPOSITORY).parts[1] not in ("faults", "hostile", "mutation")
)

LONGEST = 30
"""Words of a sentence in the docs."""

PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "docs/adr/*.md", "recipes/*.md", "recipes/meta-rootfs-trust/*.md")
    for path in REPOSITORY.glob(pattern)
)

GENERATED_FROM_CODE = ("docs/api.md",)
"""Pages made from docstrings of packages, which are checked with the packages."""

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs, items of lists, headings and cells of tables of a page, without its blocks of code."""
    block: list[str] = []
    for line in [*_COMMENT.sub("", _FENCE.sub("", text)).splitlines(), ""]:
        ends = not line.strip() or line.lstrip().startswith(("#", "|", ">")) or _ITEM.match(line)
        if ends and block:
            yield " ".join(block)
            block = []
        if line.lstrip().startswith("|"):
            yield from (cell.strip() for cell in re.split(r"(?<!\\)\|", line) if cell.strip(" -"))
        elif line.strip():
            block.append(_ITEM.sub("", line).strip())


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph. Code counts as one word."""
    plain = re.sub(r"`[^`]*`", "CODE", paragraph)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    return [each for each in re.split(r"(?<!\.\.)(?<=[.!?])\*?\)?\s+", plain) if each.strip()]


def wrong_words(text: str) -> list[str]:
    """What ``text`` says in words that the project does not use."""
    for allowed in ALLOWED:
        text = re.sub(allowed, "CODE", text)
    found = []
    for words, instead in WORDS.items():
        flags = 0 if words[0].isupper() else re.IGNORECASE
        found += [f'"{match[0]}": write "{instead}"' for match in re.finditer(rf"\b(?:{words})(?!\w)", text, flags)]
    return found


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, comments and other strings with a blank in them, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def modules(package: str) -> list[Path]:
    path = REPOSITORY / "rootfs_trust" / package
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GENERATED_FROM_CODE])
def test_a_page_uses_the_words_of_the_field(page):
    text = (REPOSITORY / page).read_text()
    found = [f"{wrong}: {each[:90]}" for each in paragraphs(text) for wrong in wrong_words(each)]
    assert not found, "\n".join([page, *found])


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GENERATED_FROM_CODE])
def test_no_sentence_of_a_page_has_more_than_thirty_words(page):
    text = (REPOSITORY / page).read_text()
    found = [
        f"{len(sentence.split())} words: {sentence}"
        for each in paragraphs(text)
        for sentence in sentences(each)
        if len(sentence.split()) > LONGEST
    ]
    assert not found, "\n".join([page, *found])


@pytest.mark.parametrize("package", PACKAGES)
def test_the_texts_of_a_package_use_the_words_of_the_field(package):
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}: {wrong}"
        for path in modules(package)
        for line, text in texts(path.read_text())
        for wrong in wrong_words(text)
    ]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_comments_of_a_recipe_use_the_words_of_the_field(recipe):
    lines = (REPOSITORY / recipe).read_text().splitlines()
    comments = " ".join(line.strip("# \t") for line in lines if line.lstrip().startswith("#"))
    assert not wrong_words(comments)


def test_the_names_of_tests_use_the_words_of_the_field():
    found = [
        f"{file}: {node.name}: {wrong}"
        for file in TESTS
        for node in ast.walk(ast.parse((REPOSITORY / file).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for wrong in wrong_words(node.name.replace("_", " "))
    ]
    assert not found, "\n".join(["", *found])


def test_words_in_code_and_addresses_are_not_checked():
    assert wrong_words("the folder is mended") and wrong_words("It is no folder.")
    assert not wrong_words("`folder` and https://example.com/folder and docs/x.md#folder")


def test_sentences_end_at_full_stops_and_code_is_one_word():
    assert sentences("It reads `a b c`. It writes [the page](x.md).") == ["It reads CODE.", "It writes the page."]


def test_lists_tables_and_code_are_taken_apart():
    page = "Text\nand more:\n\n- one\n  two\n- three\n\n| a | b |\n| --- | --- |\n| c | d |\n\n```sh\nx\n```\n"
    assert list(paragraphs(page)) == ["Text and more:", "one two", "three", "a", "b", "c", "d"]
