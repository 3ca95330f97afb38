"""Configuration of Sphinx for ``make docs``."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.reference import MADE  # noqa: E402 - the import needs the folder added above

if TYPE_CHECKING:
    from collections.abc import Callable

    from docutils.nodes import Node
    from sphinx.application import Sphinx

project = "inclinet"
author = "the inclinet developers"
release = version = installed("inclinet")
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "index"
html_title = "inclinet"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
smartquotes = False  # would turn the two dashes of an option into one
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f4e79", "color-brand-content": "#1f5f99"},
    "dark_css_variables": {"color-brand-primary": "#9cc7ee", "color-brand-content": "#8fc1ef"},
}

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
# The notebook is in git with its pictures, and the suite runs it, so that a build needs no service.
nb_execution_mode = "off"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False


class Generated(SphinxDirective):
    """Inserts Markdown that ``tools.reference`` makes from the code, for ``{generated} NAME``."""

    required_arguments = 1
    makers: ClassVar[dict[str, Callable[[], str]]] = MADE

    def run(self) -> list[Node]:
        """Return the parsed Markdown."""
        return self.parse_text_to_nodes(self.makers[self.arguments[0]](), allow_section_headings=True)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("generated", Generated)
