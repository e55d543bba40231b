"""Small HTML tables for notebooks. Everything shown is text, never markup."""

from __future__ import annotations

from typing import Any, Mapping, Optional


def table(cells: Mapping[str, Any], links: Optional[Mapping[str, str]] = None) -> str:
    """Return a table of one row: what each cell holds, and links under their words."""
    from html import escape

    heads = "".join(f"<th>{escape(head)}</th>" for head in [*cells, *(links or {})])
    plain = "".join(f"<td>{escape(str(value))}</td>" for value in cells.values())
    linked = "".join(f'<td><a href="{escape(url, quote=True)}">{escape(words)}</a></td>' for words, url in (links or {}).items())
    return f'<table style="width:100%"><tr>{heads}</tr><tr>{plain}{linked}</tr></table>'
