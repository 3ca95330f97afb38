"""Checks command lines in the pages without running them: options, modules, files, targets, profiles, extras."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

import yaml
from typer.main import get_command

from inclinet.main import app as inclinet
from serving import flags
from tests.support.pages import ROOT
from training.__main__ import app as training

if TYPE_CHECKING:
    from collections.abc import Iterator

PARSERS = {"inclinet": get_command(inclinet), "training": get_command(training)}
SHELL = {"for", "do", "done", "source", "wait"}
FOREIGN = {"curl", "stilts", "topcat"}
"""Programs of others, whose arguments can't be checked here."""


def checked(script: str) -> None:
    """Fail for a command with an option, file or target that does not exist."""
    for words in commands(script):
        program, *arguments = words
        if program in PARSERS:
            parse(program, arguments)
        elif program.rpartition("/")[2] == "python":
            _python(arguments)
        elif program in CHECKS:
            CHECKS[program](arguments)
        else:
            assert program in FOREIGN | SHELL, f"nothing checks {program} yet"


def commands(script: str) -> Iterator[list[str]]:
    """Yield the simple commands of a script, without redirections and leading assignments."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>")
        lexer.commenters = "#"
        lexer.whitespace_split = True
        command: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set(";|&"):
                if command:
                    yield command
                command = []
            elif command or not re.fullmatch(r"\w+=.*|do", word):
                command.append(word)


def _before_redirection(words: list[str]) -> list[str]:
    end = next((at for at, word in enumerate(words) if set(word) <= set("<>")), len(words))
    return words[:end]


def parse(name: str, arguments: list[str]) -> None:
    """Parse arguments as the program would; an unknown option or a refused value fails."""
    command, given = PARSERS[name], _before_redirection(arguments)
    while True:
        context = command.make_context(name, given)
        if not hasattr(command, "resolve_command"):
            return
        _, command, given = command.resolve_command(context, [*context._protected_args, *context.args])  # noqa: SLF001


def _python(arguments: list[str]) -> None:
    assert arguments[0] == "-m", arguments
    module, *rest = _before_redirection(arguments[1:])
    if module in PARSERS:
        parse(module, rest)
    elif module == "serving":
        assert flags.parse(rest)[1] == []
    else:
        assert importlib.util.find_spec(module), module


def _make(arguments: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for word in _before_redirection(arguments):
        assert "=" in word or word in targets, f"make {word}"


def _docker(arguments: list[str]) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"].values()
    profiles = {profile for service in services for profile in service.get("profiles", [])}
    for option, value in itertools.pairwise(arguments):
        if option == "--profile":
            assert value in profiles, value
        if option == "-f" and "$" not in value:
            assert (ROOT / value).is_file(), value


def _kubectl(arguments: list[str]) -> None:
    named = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "k8s").rglob("*.yaml"))
    for option, value in itertools.pairwise(arguments):
        if option == "-k":
            assert (ROOT / value / "kustomization.yaml").is_file(), value
    for word in arguments:
        kind, _, name = word.partition("/")
        if kind in {"deployment", "service", "job"} and name:
            # an overlay's nameSuffix makes the canary's names
            assert f"name: {name.removesuffix('-canary')}\n" in named, word


def _pip(arguments: list[str]) -> None:
    assert arguments[0] == "install", arguments
    for wanted in arguments[1:]:
        name, _, extras = wanted.rstrip("]").partition("[")
        path = {"inclinet": "pyproject.toml", "inclinet-service": "service/pyproject.toml"}[name]
        known = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        assert set(filter(None, extras.split(","))) <= set(known), wanted


CHECKS = {"make": _make, "docker": _docker, "kubectl": _kubectl, "pip": _pip}
