"""What an expression of PromQL asks for: the names of its metrics, and the labels that it counts on."""

from __future__ import annotations

from typing import Any

import promql_parser
from prometheus_client.parser import text_string_to_metric_families

ALWAYS = frozenset({"job", "instance"})
"""Labels that Prometheus adds to everything it scrapes."""

Asked = dict[str, set[str]]


def asked(expression: str) -> Asked:
    """Return the labels that an expression counts on, by the name of the metric; a syntax error is a ValueError."""
    found: Asked = {}

    def visit(node: Any, grouped: frozenset[str]) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            labels = {one.name for one in node.matchers.matchers} - {"__name__"}
            found.setdefault(str(node.name), set()).update(labels | grouped)
        elif isinstance(node, promql_parser.MatrixSelector):
            visit(node.vector_selector, grouped)
        elif isinstance(node, promql_parser.AggregateExpr):
            by = frozenset(node.modifier.labels) if node.modifier is not None else frozenset()
            visit(node.expr, grouped | by)
        elif isinstance(node, promql_parser.Call):
            for argument in node.args:
                visit(argument, grouped)
        elif isinstance(node, promql_parser.BinaryExpr):
            visit(node.lhs, grouped)
            visit(node.rhs, grouped)
        elif hasattr(node, "expr"):
            visit(node.expr, grouped)

    visit(promql_parser.parse(expression.replace("$__rate_interval", "5m")), frozenset())
    return found


def exposed(page: str) -> Asked:
    """Return the labels of every sample of a page in Prometheus's text format, by its name."""
    samples: Asked = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            samples.setdefault(sample.name, set()).update(sample.labels)
    return samples


def values(page: str, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a name that have these labels, by the values of their other labels in order."""
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                others = tuple(value for key, value in sorted(sample.labels.items()) if key not in labels)
                found[others] = sample.value
    return found


def value(page: str, name: str, **labels: str) -> float:
    """Return the one sample of a name that has these labels; 0 where there is none, as of a counter not yet used."""
    found = values(page, name, **labels)
    assert len(found) <= 1, found
    return next(iter(found.values()), 0.0)
