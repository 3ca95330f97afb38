"""The metrics in an expression of PromQL, and the labels that it requires."""

from __future__ import annotations

from typing import Any

import promql_parser
from prometheus_client.parser import text_string_to_metric_families

ALWAYS = frozenset({"job", "instance"})
"""Labels that Prometheus adds to all scraped metrics."""

Asked = dict[str, set[str]]


def asked(expression: str) -> Asked:
    """Return the required labels of an expression, by metric; a syntax error raises ValueError."""
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
    """Return the labels of every sample in a page of Prometheus's text format, by metric."""
    samples: Asked = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            samples.setdefault(sample.name, set()).update(sample.labels)
    return samples


def values(page: str, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric with these labels, by the values of their other labels in order."""
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                others = tuple(value for key, value in sorted(sample.labels.items()) if key not in labels)
                found[others] = sample.value
    return found


def value(page: str, name: str, **labels: str) -> float:
    """Return the one sample of a metric with these labels; 0 where there is none, as for an unused counter."""
    found = values(page, name, **labels)
    assert len(found) <= 1, found
    return next(iter(found.values()), 0.0)
