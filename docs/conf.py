"""The site: how Sphinx builds it. Its sources are the documents where they stand in the repository.

The root of the repository is the source folder (``sphinx-build -c docs . OUT``), so that a link in
a document leads to the same place here and where the repository is read. Nothing is fetched. What
a page says is in the pages; what is said by the code (the Python interface) is taken from it.
"""

import importlib.metadata
from datetime import date
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

ROOT = Path(__file__).parents[1]

project = "augury"
version = release = importlib.metadata.version("augury")
author = "the authors of augury"
project_copyright = f"{date.today().year}, {author}"
root_doc = "docs/index"
include_patterns = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/RESULTS.md",
    "docs/**",
    "notebooks/*.ipynb",
]
# Folders without documents, which need not be walked through either.
exclude_patterns = [
    ".*", "build", "crates", "deploy", "dist", "examples", "fuzz", "python", "target", "tests",
    "docs/_*", "**/.ipynb_checkpoints",
]  # fmt: skip

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# In docstrings a single backtick names something of the package.
default_role = "py:obj"
# Every page carries the tree of all; with a row for each function building takes twice as long.
toc_object_entries = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "separated"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False

myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath", "attrs_inline", "deflist", "colon_fence"]
# A notebook is executed once for each of its versions; one that fails, fails the build.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 240
nb_execution_in_temp = True
nb_merge_streams = True

# Formulas as browsers know them; MathJax, Sphinx's default, would be fetched by every reader.
html_math_renderer = "mathml"
html_theme = "furo"
html_title = "augury"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
# The front page is where people look for one.
html_additional_pages = {"index": "front.html"}
html_copy_source = False
html_show_sourcelink = False
pygments_style = "friendly"
pygments_dark_style = "monokai"


def speak_its_language(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Tell browsers and screen readers which pages are in Chinese."""
    if page.startswith("docs/zh/"):
        context["language"] = "zh-CN"


def write_formula(writer: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """A formula as MathML, in a line or by itself."""
    writer.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    app.connect("html-page-context", speak_its_language)
