"""The steps of a graph as a tree of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.model.graph import PipelineGraph

# How far a margin grows. Below it a step has its predecessor's column: what comes after a `└─` in its own column hangs on it.
DEEPEST = 18


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree: the drawing before a step, the step, which others it waits for, and whether it shows on which one it hangs."""

    drawing: str
    node_id: str
    also_after: tuple[str, ...]
    shows_parent: bool = True


def list_branches(graph: PipelineGraph) -> list[Branch]:
    """Return each step of a graph once, below the predecessor that is deepest in the graph, in the graph's order.

    A step names in `also_after` those of its predecessors that the tree does not imply: all but one where it has several, and
    all where the drawing is too deep to show on which step it hangs.
    """
    steps = {node.id for node in graph.steps}
    before = {node.id: [item for item in node.predecessors() if item in steps] for node in graph.steps}
    depths = _measure_depths(before)
    parents = {node: max(earlier, key=lambda item: depths[item], default=None) for node, earlier in before.items()}
    children: dict[str | None, list[str]] = {}
    for node, parent in parents.items():
        children.setdefault(parent, []).append(node)
    drawn = list(_draw(children, children.get(None, []), "", is_root=True))
    above = [None, *[node for _, node in drawn]]
    branches = []
    for (drawing, node), line_above in zip(drawn, above, strict=False):
        parent = parents[node]
        is_shown = len(drawing) <= DEEPEST or parent == line_above
        branches.append(Branch(drawing, node, _list_others(node, parent if is_shown else None, before, depths), is_shown))
    return branches


def _list_others(node: str, parent: str | None, before: dict[str, list[str]], depths: dict[str, int]) -> tuple[str, ...]:
    """The predecessors that the tree does not show: neither the parent, nor any that another predecessor waits for anyway."""
    others = [item for item in before[node] if item != parent]
    return tuple(item for item in others if not any(_comes_before(item, later, before, depths) for later in before[node]))


def _comes_before(node: str, later: str, before: dict[str, list[str]], depths: dict[str, int]) -> bool:
    seen, waiting = set[str](), [later]
    while waiting:
        for item in before[waiting.pop()]:
            if item == node:
                return True
            if depths[item] > depths[node] and item not in seen:
                seen.add(item)
                waiting.append(item)
    return False


def _measure_depths(before: dict[str, list[str]]) -> dict[str, int]:
    """The length of the longest way to each node. A loop instead of recursion: chains may be long."""
    depths: dict[str, int] = {}
    waiting = list(before)
    while waiting:
        ready = [node for node in waiting if all(item in depths for item in before[node])]
        if not ready:
            return {**dict.fromkeys(waiting, 0), **depths}
        for node in ready:
            depths[node] = max((depths[item] + 1 for item in before[node]), default=0)
        waiting = [node for node in waiting if node not in depths]
    return depths


def _draw(children: dict[str | None, list[str]], nodes: Sequence[str], margin: str, *, is_root: bool) -> Iterator[tuple[str, str]]:
    # A stack of what is still to be drawn, last first; a chain of a thousand steps would be too deep for recursion.
    stack = [(node, margin, index == len(nodes) - 1, is_root) for index, node in enumerate(nodes)][::-1]
    while stack:
        node, before, is_last, at_root = stack.pop()
        yield before + ("" if at_root else "└─ " if is_last else "├─ "), node
        inner = before if at_root or len(before) >= DEEPEST else before + ("   " if is_last else "│  ")
        followers = children.get(node, [])
        stack += [(item, inner, index == len(followers) - 1, False) for index, item in enumerate(followers)][::-1]
