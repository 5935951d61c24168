"""Every file and setting that a page names exists, and a link leads to every page."""

from __future__ import annotations

import re

import pytest

from chatserver.core.config import SETTINGS
from tests.docs.pages import PAGES, ROOT, text

# Names in the pages that are not settings.
OTHERS = {"CHAT_NAME", "CHAT_SCREENSHOTS", "CHAT_TUNING"}


def anchors(page: str) -> set[str]:
    """The anchor that GitHub and others make from a heading."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (here / path).resolve() if path else ROOT / page
        assert file.is_file(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(file.relative_to(ROOT).as_posix()), f"{page} links to {target}"


@pytest.mark.parametrize("page", PAGES)
def test_variables_are_settings(page: str) -> None:
    known = {setting.variable for setting in SETTINGS} | OTHERS
    assert set(re.findall(r"\bCHAT_[A-Z_]*[A-Z]\b", text(page))) - known == set()


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_in_code_are_there(page: str) -> None:
    for path in re.findall(r"`((?:chatserver|tests|static|templates|deploy|docs)/[\w./-]*)`", text(page)):
        assert (ROOT / path).exists(), f"{page} names {path}"


def test_the_readme_leads_to_every_page() -> None:
    for readme in ("README.md", "README.zh.md"):
        assert [page for page in PAGES if page.startswith("docs/") and page not in text(readme)] == [], readme


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_nothing_of_where_they_were_written(page: str) -> None:
    assert re.findall(r"/home/\w|/tmp/|\bTODO\b|\bFIXME\b", text(page)) == []
