"""What all configuration objects share: they refuse unknown attributes, and they have a camelCase document.

A class names its attributes in `_fields`, in the order of v1's files. The value says how a document's part is read:
None as it stands, a class through its `_from_document`, [class] as a list of it, {"": class} as a dictionary of it.
A name with a leading underscore is stored privately, behind a property, and shown without the underscore.
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict, FrozenSet, Mapping

Document = Dict[str, Any]


class Section:
    """Base of the configuration objects."""

    _fields: ClassVar[Mapping[str, Any]] = {}
    _keys: ClassVar[Mapping[str, str]] = {}  # where a document's key is not the attribute's name
    _secrets: ClassVar[FrozenSet[str]] = frozenset()  # shown and sent as null

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name.startswith("_") or name in self._fields or hasattr(type(self), name)):
            raise AttributeError(_unknown_attribute(self, name))
        object.__setattr__(self, name, value)

    @classmethod
    def _blank(cls) -> Any:
        """Return an object with the defaults."""
        return cls()

    @classmethod
    def _from_document(cls, document: Mapping[str, Any]) -> Any:
        """Return the object that a document describes; what it leaves out has its default."""
        section = cls._blank()
        fields = {_bare(cls._keys.get(name, name)): name for name in cls._fields}
        for key, value in document.items():
            name = fields.get(_bare(str(key)))
            if name is None:
                _note_unknown_key(cls, str(key), fields.values())
            elif value is not None or not isinstance(vars(section).get(name), Section):
                object.__setattr__(section, name, _read(cls._fields[name], value))
        return section

    def _to_document(self, keep_secrets: bool = False) -> Document:
        """Return the camelCase document, JSON values only."""
        document = {}
        for name in self._fields:
            value = None if name in self._secrets and not keep_secrets else vars(self).get(name)
            document[self._keys.get(name) or camel(name)] = plain(value, keep_secrets)
        return document

    def __repr__(self) -> str:
        import json

        return json.dumps(self._to_document(), indent=4)


def camel(name: str) -> str:
    """Return the camelCase spelling of a snake_case name."""
    first, *rest = name.lstrip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def plain(value: Any, keep_secrets: bool = False) -> Any:
    """Return the JSON form of a value; what has none is shown as text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Section):
        return value._to_document(keep_secrets)
    if isinstance(value, Mapping):
        return {str(key): plain(item, keep_secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, keep_secrets) for item in value]
    if hasattr(value, "_to_document"):
        return value._to_document()
    return str(value)


def _read(reader: Any, value: Any) -> Any:
    if reader is None or value is None:
        return value
    if isinstance(reader, list):
        return [_read(reader[0], item) for item in value]
    if isinstance(reader, dict):
        return {str(key): _read(reader[""], item) for key, item in value.items()}
    return reader._from_document(value) if isinstance(value, Mapping) else value


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _known(section: Section) -> Any:
    names = {name for name in dir(type(section)) if isinstance(getattr(type(section), name, None), property)}
    return sorted(names.union(name for name in section._fields if not name.startswith("_")))


def _unknown_attribute(section: Section, name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, _known(section), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else f" It has: {', '.join(_known(section))}."
    return f"{type(section).__name__} has no attribute {name}.{hint}"


def _note_unknown_key(section: Any, key: str, fields: Any) -> None:
    import difflib

    from azureml.core._deprecation import deprecated, note

    if any(_bare(key) == _bare(name) and isinstance(getattr(section, name), property) for name in dir(section)):
        deprecated(f"The key '{key}' of a {section.__name__} is deprecated in SDK v1 and has no effect.")
        return
    near = difflib.get_close_matches(key, [camel(name) for name in fields], n=1)
    note(f"The key '{key}' of a {section.__name__} is not known and is ignored." + (f" Did you mean '{near[0]}'?" if near else ""))
