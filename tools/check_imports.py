"""Check that imports point down the map, and that what steps import runs on an old Python with nothing installed.

    python tools/check_imports.py [FOLDER]

Exit status 0, or 1 with one line for each import that is out of place.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Who may import whom, beside itself. `bootstrap` and `cli` stand on top; `service` and `engine` meet only in rows.
BELOW_OPERATIONS = {"persistence", "storage", "recurrence", "compile", "model"}
MAY_IMPORT = {
    "model": set(),
    "compile": {"model"},
    "persistence": {"compile", "model"},
    "storage": {"compile", "model"},
    "recurrence": {"model"},
    "operations": BELOW_OPERATIONS,
    "service": {"operations", *BELOW_OPERATIONS},
    "engine": {"operations", *BELOW_OPERATIONS},
    "client": {"compile", "model"},
    "tabular": {"client", "model"},
    "runtime": {"client", "compile", "model", "storage", "tabular"},
    "azureml": {"runtime", "client", "compile", "model", "tabular"},
    "settings": {"client", "model"},
    "bootstrap": {"service", "engine", "operations", "client", "settings", *BELOW_OPERATIONS},
    "serve": {"bootstrap", "service", "client", "settings", "model"},
    "cli": {"bootstrap", "client", "settings", "compile", "model"},
    "__main__": {"cli", "bootstrap"},
}
# One module serves every part: where the home folder lies and what is in it.
EVERYWHERE = {"penstock", "penstock.client.home", "penstock.settings"}
NOT_FOR_STEPS = {"penstock.settings"}

# What a step imports in its user's environment.
FOR_STEPS = {"azureml", "client", "runtime", "compile", "model", "tabular"}
OLDEST_FOR_STEPS = (3, 7)
# Loaded inside a function, where a file of their kind is really read.
LAZILY = {"yaml", "pathspec"}
# What users of the facade bring themselves, loaded where one of their objects is handled.
USERS_OWN = {"IPython", "dask", "duckdb", "matplotlib", "numpy", "pandas", "pyarrow", "pyspark", "requests"}


@dataclass(frozen=True)
class Import:
    """One import statement: where it stands and what it names."""

    path: Path
    line: int
    name: str
    at_module_level: bool


def find_problems(source: Path) -> list[str]:
    """Return one line for each import or syntax below `source` that is out of place."""
    problems = []
    for path in sorted(source.rglob("*.py")):
        part = part_of(module_of(path, source))
        oldest = OLDEST_FOR_STEPS if part in FOR_STEPS else None
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=oldest)
        except SyntaxError as error:
            problems.append(f"{path}:{error.lineno}: Python {'.'.join(map(str, oldest or (3, 10)))} can't read this: {error.msg}")
            continue
        for item in list_imports(tree, path, module_of(path, source)):
            if reason := find_reason(part, item):
                problems.append(f"{item.path}:{item.line}: {reason}")
    return problems


def module_of(path: Path, source: Path) -> str:
    """Return the dotted name of the module in a file."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """Return the part of the map that a module belongs to: azureml, or what stands below penstock."""
    words = module.split(".")
    if words[0] == "azureml":
        return "azureml"
    return words[1] if len(words) > 1 else "penstock"


def list_imports(tree: ast.Module, path: Path, module: str) -> Iterator[Import]:
    """Yield what a module imports, but for what only the type checker sees."""
    yield from _walk(tree.body, path, module, True)


def _walk(body: list[ast.stmt], path: Path, module: str, top: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name, top)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, path.name == "__init__.py")
            for alias in node.names:
                yield Import(path, node.lineno, f"{base}.{alias.name}", top)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _walk(node.orelse, path, module, top)
        else:
            inside = top and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for field in ("body", "orelse", "finalbody"):
                yield from _walk(getattr(node, field, None) or [], path, module, inside)
            for handler in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
                yield from _walk(handler.body, path, module, inside)


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    words = module.split(".")
    base = words[: len(words) - node.level + (1 if is_package else 0)]
    return ".".join([*base, *([node.module] if node.module else [])])


def find_reason(part: str, item: Import) -> str | None:
    """Return why this import is out of place in a part, or None."""
    first = item.name.split(".")[0]
    if first in ("azureml", "penstock"):
        return _find_direction(part, item.name)
    if part in FOR_STEPS and first not in sys.stdlib_module_names:
        if first in LAZILY | (USERS_OWN if part in ("azureml", "runtime", "tabular") else set()):
            return f"{first} must be imported inside the function that needs it" if item.at_module_level else None
        return f"{part} uses the standard library only, because steps import it; {first} is not in it"
    return None


def _find_direction(part: str, name: str) -> str | None:
    allowed_everywhere = any(name == item or (item != "penstock" and name.startswith(f"{item}.")) for item in EVERYWHERE)
    if part in FOR_STEPS and any(name == item or name.startswith(f"{item}.") for item in NOT_FOR_STEPS):
        allowed_everywhere = False
    target = part_of(name)
    if allowed_everywhere or target == part or name == "penstock.__version__" or target in MAY_IMPORT.get(part, set()):
        return None
    return f"{part} must not import {name}; it may import {', '.join(sorted(MAY_IMPORT.get(part, set()))) or 'nothing else'}"


def find_old_python_problems(source: Path) -> list[str]:
    """Return what `vermin` finds that the oldest Python for steps lacks: names and arguments, not only syntax.

    A line that never runs there says `# novm`.
    """
    folders = [source / "azureml", *(source / "penstock" / part for part in sorted(FOR_STEPS - {"azureml"}))]
    version = ".".join(map(str, OLDEST_FOR_STEPS))
    command = [
        sys.executable,
        "-c",
        "from vermin import main; main()",
        f"--target={version}-",
        "--violations",
        "--no-tips",
        "--quiet",
        "--backport=typing",
    ]
    command += ["--no-eval-annotations", *(str(folder) for folder in folders if folder.is_dir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def main(arguments: list[str]) -> int:
    """Print the problems of a source folder; return 1 when there is one."""
    source = Path(arguments[0] if arguments else "src")
    problems = find_problems(source) + find_old_python_problems(source)
    print("\n".join(problems) or "imports: in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
