"""What the pages name exists: commands, options, settings, files, pages."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest

from gateway.api import problems
from gateway.settings import Settings
from tests.support.command_lines import PARSERS, checked
from tests.support.pages import PAGES, ROOT, Block, blocks
from tools.reference import MADE
from zoo.settings import ZooSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELL_BLOCKS = [block for page in PAGES for block in blocks(page) if block.language == "sh"]
LANGUAGES = {"sh", "python", "json", "text", "promql"}


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def inline_code(page: str) -> list[str]:
    """Return what stands between single backticks on a page, outside of its blocks."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


@pytest.mark.parametrize("page", PAGES)
def test_a_block_says_its_language_and_why_it_is_not_run(page: str) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, block
        assert block.how in {"", "fails", "output"} or block.reason, block


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=lambda block: f"{block.page}:{block.line}")
def test_a_block_of_shell_asks_for_what_is_there(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)  # noqa: S607 - whichever bash comes first
    checked(block.text)


@pytest.mark.parametrize("page", PAGES)
def test_a_block_that_is_no_command_can_be_read(page: str) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, block.page, "exec")
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "promql":
            for one in re.split(r"\n(?=\S)", block.text.strip()):
                promql_parser.parse(one)


def options_of(command: Any) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts + parameter.secondary_opts
    for inner in getattr(command, "commands", {}).values():
        yield from options_of(inner)


ELSEWHERE = {"--build", "--build-arg", "--profile", "--replace", "--replicas", "--manifest", "--beside", "--nothing"}
"""Options of docker, podman, kubectl, ``serving.repository``, and one that exists nowhere and says so."""


@pytest.mark.parametrize("page", PAGES)
def test_an_option_that_a_page_names_exists(page: str) -> None:
    known = {option for command in PARSERS.values() for option in options_of(command)} | ELSEWHERE
    others = text_of("serving/flags.py") + text_of("benchmarks/zoo.py") + text_of("benchmarks/batch.py")
    named = {found for code in inline_code(page) for found in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)}
    missing = {option for option in named - known if option[2:] not in others}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_variable_that_a_page_names_is_read_somewhere(page: str) -> None:
    settings = {f"INCLINET_{name.upper()}" for name in Settings.model_fields}
    settings |= {f"INCLINET_ZOO_{name.upper()}" for name in ZooSettings.model_fields}
    elsewhere = "".join(
        path.read_text(encoding="utf-8")
        for pattern in ("docker-compose.yml", "inclinet/**/*.py", "tests/**/*.py", "k8s/**/*.yaml")
        for path in ROOT.glob(pattern)
        if path.name != "test_pages_true.py"
    )
    named = set(re.findall(r"\bINCLINET_[A-Z0-9_]*[A-Z0-9]\b", text_of(page)))
    assert {name for name in named - settings if name not in elsewhere} == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_a_page_names_exists(page: str) -> None:
    folders = "batch|benchmarks|containers|docs|gateway|inclinet|k8s|monitoring|serving|tests|tools|training|zoo"
    named = [code for code in inline_code(page) if re.fullmatch(rf"(?:{folders})/[\w./-]*", code)]
    made = {"serving/models.config"}
    assert [path for path in named if path not in made and not (ROOT / path).exists()] == []


def test_the_readme_links_to_what_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of("README.md"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_a_page_is_in_the_table_of_contents() -> None:
    contents = re.findall(r"^[\w/-]+$", text_of("docs/index.md"), re.MULTILINE)
    pages = {path.removeprefix("docs/").removesuffix(".md") for path in PAGES if path.startswith("docs/")}
    assert pages - set(contents) == {"index"}


def test_a_reference_made_from_the_code_stands_on_one_page() -> None:
    placed = [name for page in PAGES for name in re.findall(r"^```\{generated\} (\S+)$", text_of(page), re.MULTILINE)]
    assert sorted(placed) == sorted(MADE)


def test_the_reference_has_every_problem_and_setting() -> None:
    shown = MADE["problems"]()
    assert [slug for slug in problems.table() if f"| `{slug}` |" not in shown] == []
    for made, model, prefix in (("settings", Settings, "INCLINET"), ("zoo-settings", ZooSettings, "INCLINET_ZOO")):
        shown = MADE[made]()
        assert [name for name in model.model_fields if f"`{prefix}_{name.upper()}`" not in shown] == []
