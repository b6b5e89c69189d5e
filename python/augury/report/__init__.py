"""The HTML report: one file that loads nothing, with plots by matplotlib as inline SVG.

:mod:`.page` puts it together, :mod:`.charts` draws, :mod:`.ink` is the colours, ``page.css`` the
looks. The page follows the reader's choice of light or dark.
"""

from augury.report.page import render

__all__ = ["render"]
