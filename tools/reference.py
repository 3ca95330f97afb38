"""Makes the reference pages from the code, as Markdown, so that they are always up to date.

``docs/conf.py`` inserts each where a page says ``{generated} NAME``.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import typer
from typer.cli import get_docs_for_click

from batch.outputs.results import COLUMNS
from gateway.api import problems
from gateway.app import create_app
from gateway.core import errors
from gateway.settings import Settings
from inclinet.main import app as inclinet
from training.__main__ import app as training
from zoo.settings import ZooSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_settings import BaseSettings
    from typer import Typer


def table(*rows: Iterable[object]) -> str:
    """Return a table in Markdown; the first row is its header."""
    cells = [[_cell(value) for value in row] for row in rows]
    cells.insert(1, ["---"] * len(cells[0]))
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", r"\|")


def settings() -> str:
    """Return every setting of the gateway, in the order of its fields."""
    return _settings(Settings)


def zoo_settings() -> str:
    """Return every setting of the zoo."""
    return _settings(ZooSettings)


def _settings(model: type[BaseSettings]) -> str:
    def entry(name: str) -> str:
        field = model.model_fields[name]
        default = f"{field.default:.4g}" if isinstance(field.default, float) else field.default
        shown = "" if default is None or default == "" else f" = `{default}`"
        meaning = ". ".join(text.rstrip(".") for text in (field.title, field.description) if text)
        return f"`{model.model_config.get('env_prefix', '')}{name.upper()}`{shown}\n: {meaning}.\n"

    return "\n".join(entry(name) for name in model.model_fields)


def columns() -> str:
    """Return the columns of every result."""
    shown = ((f"`{one.name}`", one.unit or "", f"`{one.ucd}`" if one.ucd else "", one.description) for one in COLUMNS)
    return table(("column", "unit", "UCD", "meaning"), *shown)


def problem_types() -> str:
    """Return every type of problem, by status."""
    kinds = sorted(problems.kinds(), key=lambda kind: kind.status)
    shown = ((f"`{kind.slug}`", kind.status, kind.title, _says(kind)) for kind in kinds)
    return table(("type", "status", "title", "when"), *shown)


def _says(kind: type[errors.GatewayError]) -> str:
    """Return the text of a docstring before its sections."""
    if kind is errors.GatewayError:
        return "A fault of the service, which its log tells under the request's id."
    return (inspect.getdoc(kind) or "").partition("\nParameters\n")[0].replace("``", "`")


def command_line() -> str:
    """Return every command of ``inclinet``, with its arguments and options."""
    return _commands(inclinet, "inclinet")


def training_command_line() -> str:
    """Return every command of ``python -m training``, with its arguments and options."""
    return _commands(training, "python -m training")


def _commands(app: Typer, name: str) -> str:
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name=name)
    described = get_docs_for_click(obj=command, ctx=context, name=name, indent=1)
    return described[described.index("\n### ") :]  # the text before lists only the commands


def http() -> str:
    """Return every call of the HTTP API: its parameters, bodies, answers and problems."""
    described = create_app(Settings()).openapi()
    slugs = {title: slug for slug, (_, title) in problems.table().items()}
    calls = ((method, path, call) for path, calls in described["paths"].items() for method, call in calls.items())
    return "\n".join(_call(method, path, call, slugs) for method, path, call in calls)


def _call(method: str, path: str, call: dict[str, Any], slugs: dict[str, str]) -> str:
    parts = [f"### `{method.upper()} {path}`\n", f"**{call['summary']}.** {call.get('description', '')}\n"]
    if parameters := call.get("parameters"):
        shown = ((f"`{one['name']}`", one["in"], _default(one), one.get("description", "")) for one in parameters)
        parts.append(table(("parameter", "in", "unless given", "meaning"), *shown))
    if body := call.get("requestBody"):
        parts.append(f"Body: {_codes(body['content'])}.\n")
    answers = [answer for status, answer in call["responses"].items() if status.startswith("2")]
    parts.append(f"Answers {', '.join(_codes(answer['content']) for answer in answers)}.\n")
    titles = {
        title
        for answer in call["responses"].values()
        if problems.MEDIA_TYPE in answer.get("content", {})
        for title in answer["description"].split("; ")
    }
    if found := sorted(slugs[title] for title in titles if title in slugs):
        parts.append(f"Problems: {_codes(found)}.")
    return "\n".join(parts) + "\n"


def _default(parameter: dict[str, Any]) -> str:
    if parameter.get("required"):
        return "required"
    default = parameter["schema"].get("default")
    return f"`{default}`" if default not in (None, [], "") else ""


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def answer() -> str:
    """Return every key of the answer about a galaxy, with its type and an example."""
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    rows = _keys("InclinationAnswer", "", schemas)
    return table(("key", "meaning", "example"), *rows)


def _keys(schema: str, prefix: str, schemas: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, field in schemas[schema]["properties"].items():
        inner = _inner(field)
        here = f"{prefix}{name}" + ("[]" if field.get("type") == "array" else "")
        described = field.get("description") or (schemas[inner].get("description", "") if inner else "")
        example = f"`{field['examples'][0]}`" if "examples" in field and not inner else ""
        yield f"`{here}`", described, example
        if inner and "properties" in schemas[inner]:
            yield from _keys(inner, f"{here}.", schemas)


def _inner(field: dict[str, Any]) -> str | None:
    """Return the schema of a field, or of its items."""
    for one in (field, field.get("items", {}), *field.get("anyOf", [])):
        if "$ref" in one:
            return str(one["$ref"]).rpartition("/")[2]
    return None


MADE = {
    "settings": settings,
    "zoo-settings": zoo_settings,
    "columns": columns,
    "problems": problem_types,
    "command-line": command_line,
    "training": training_command_line,
    "http": http,
    "answer": answer,
}
"""Content of each ``{generated} NAME``."""
