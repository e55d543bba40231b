"""YAML files of pipelines as plain values, and back: the words of YAML 1.2, and limits that keep a hostile file small."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Iterator, Optional, Tuple

LARGEST_FILE = 16 * 1024 * 1024  # about 5,000 steps with environments of their own
_DEEPEST = 60  # levels of lists and mappings; a pipeline needs about ten
_LONGEST_NUMBER = 400
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_MOST_VALUES = 500_000  # with everything that aliases stand for

# YAML 1.2 knows fewer words than PyYAML: 'yes', 'off' and '1:30' are texts, and '1e-3' is a number.
_WORDS: Tuple[Tuple[str, str, str], ...] = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("tag:yaml.org,2002:merge", "<<", "<"),
)


def read_document(path: str) -> Any:
    """Return what a YAML file says, as plain values.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no YAML, it repeats a key, or it is larger than any pipeline; the message names the line.
    """
    if os.path.isfile(path) and os.path.getsize(path) > LARGEST_FILE:
        raise ValueError(f"'{path}' has {os.path.getsize(path)} bytes. A pipeline's file may have {LARGEST_FILE} at most.")
    from azureml.core._yaml_text import read_text

    try:
        return parse_document(read_text(path), path)
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is no text in UTF-8: {error.reason} at byte {error.start}.") from None


def parse_document(text: str, where: str) -> Any:
    """Return what a YAML text says, as plain values.

    Args:
        text: The text.
        where: The file it was read from, for the errors.

    Raises:
        ValueError: As for `read_document`.
    """
    yaml = _library()
    loader: Optional[Any] = None
    try:
        loader = _loader_class(yaml)(text)
        return loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise ValueError(f"'{where}' can't be read{line}: {getattr(error, 'problem', None) or error}.") from None
    except ValueError as error:  # 2001-99-99
        raise ValueError(f"'{where}' can't be read: {error}.") from None
    finally:
        if loader is not None:
            loader.dispose()


def format_document(value: Any) -> str:
    """Return plain values as YAML text, keys in their own order. `parse_document` gives the same values back."""
    yaml = _library()
    return str(
        yaml.dump(value, Dumper=_dumper_class(yaml), sort_keys=False, default_flow_style=False, allow_unicode=True, width=120, indent=2)
    )


def _library() -> Any:
    from azureml.core import _yaml_text

    return _yaml_text._library()


_CLASSES: Dict[str, Any] = {}


def _loader_class(yaml: Any) -> Any:
    found = _CLASSES.get("loader")
    if found is None:
        found = _CLASSES["loader"] = _make_loader(yaml)
    return found


def _make_loader(yaml: Any) -> Any:
    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.resolver import Resolver

    parser: Any = _parser(yaml)

    class Loader(Composer, parser, SafeConstructor, Resolver):  # type: ignore[misc]
        """A safe loader that counts what it makes, before it makes it."""

        def __init__(self, text: str) -> None:
            parser.__init__(self, text)
            for part in (Composer, SafeConstructor, Resolver):
                part.__init__(self)
            self._depth = self._count = 0
            self._sizes: Dict[int, int] = {}

        def compose_node(self, parent: Any, index: Any) -> Any:
            mark, before = self.peek_event().start_mark, self._count
            is_alias = self.check_event(yaml.AliasEvent)
            self._depth += 1
            if self._depth > _DEEPEST:
                raise yaml.MarkedYAMLError(problem=f"it is nested more than {_DEEPEST} levels deep", problem_mark=mark)
            node = super().compose_node(parent, index)
            self._depth -= 1
            if is_alias and id(node) not in self._sizes:
                raise yaml.MarkedYAMLError(problem="a value that holds itself", problem_mark=mark)
            self._count += self._sizes[id(node)] if is_alias else 1
            if self._count > _MOST_VALUES:
                raise yaml.MarkedYAMLError(problem=f"it holds more than {_MOST_VALUES} values, aliases included", problem_mark=mark)
            if not is_alias:
                self._sizes[id(node)] = self._count - before
            return node

        def compose_mapping_node(self, anchor: Any) -> Any:
            node = super().compose_mapping_node(anchor)
            _check_keys(yaml, node)
            return node

        def construct_number(self, node: Any) -> int:
            text = self.construct_scalar(node)
            if len(text) > _LONGEST_NUMBER:  # reading one takes time that grows with the square of its length
                raise yaml.MarkedYAMLError(problem=f"a number of {len(text)} digits", problem_mark=node.start_mark)
            return int(text, 0 if re.match("0[ox]", text) else 10)

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_number)
    Loader.yaml_implicit_resolvers = dict(_resolvers(yaml, keeps_dates=True))
    return Loader


def _parser(yaml: Any) -> Any:
    """What turns a text into events: libyaml where PyYAML was built with it, which is many times quicker."""
    if yaml.__with_libyaml__:
        return yaml.cyaml.CParser

    class Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)

    return Parser


def _check_keys(yaml: Any, node: Any) -> None:
    """Refuse a mapping that says one key twice: PyYAML would take the last, and a step would be gone."""
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key that is no plain text", problem_mark=key.start_mark)
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if (key.tag, key.value) in seen:
            raise yaml.MarkedYAMLError(problem=f"the key '{key.value}' stands there twice", problem_mark=key.start_mark)
        seen.add((key.tag, key.value))


def _dumper_class(yaml: Any) -> Any:
    found = _CLASSES.get("dumper")
    if found is None:
        found = _CLASSES["dumper"] = _make_dumper(yaml)
    return found


def _make_dumper(yaml: Any) -> Any:
    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        """A dumper that writes no aliases, and quotes every text that any YAML would take for something else."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)  # lists below their keys are indented

        def represent_text(self, data: str) -> Any:
            # PyYAML would write these as line breaks, and read them as spaces.
            return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if _ODD_BREAKS.search(data) else None)

    Dumper.add_representer(str, Dumper.represent_text)
    # What PyYAML itself would take for a bool or a time is quoted as well, as others may read the file.
    both = dict(yaml.SafeDumper.yaml_implicit_resolvers)
    for letter, found in _resolvers(yaml, keeps_dates=False):
        both[letter] = [*both.get(letter, []), *found]
    Dumper.yaml_implicit_resolvers = both
    return Dumper


def _resolvers(yaml: Any, keeps_dates: bool) -> Iterator[Tuple[Optional[str], Any]]:
    found: Dict[Optional[str], Any] = {}
    for tag, pattern, letters in _WORDS:
        for letter in letters:
            found.setdefault("" if letter == "\0" else letter, []).append((tag, re.compile(f"^(?:{pattern})$")))
    if keeps_dates:  # a date stays a date, as in v1; parameters turn it back into its text
        for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items():
            found.setdefault(letter, []).extend(item for item in known if item[0].endswith(":timestamp"))
    yield from found.items()
