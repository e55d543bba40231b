"""What an environment asks for: v1's document of it, read into plain requirements for pip and for conda."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Mapping, Optional, Tuple

from penstock.model.errors import Invalid

# The Pythons that v1 itself writes into an environment when its user says nothing.
V1_DEFAULT_PYTHONS = ("3.6.2", "3.8.13", "3.10.18")
# The last of them: what scripts get that run today and name no Python.
V1_PYTHON = V1_DEFAULT_PYTHONS[-1]
# Images that v1 itself puts into an environment: they mean no particular one.
_V1_IMAGE = re.compile(
    r"(?:mcr\.microsoft\.com/)?(?:azureml/)?(?:base(?:-gpu)?|openmpi|intelmpi)[\d.]*[-:/].*|mcr\.microsoft\.com/azureml/.*"
)

_OURS = re.compile(r"azureml(?:-.*)?|penstock")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(rf"({_NAME})\s*(?:\[([^\]]*)\])?\s*(.*)", re.DOTALL)
_CONDITION = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([^\s,;()<>=!~]+)")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|file:|(?:git|hg|svn|bzr)\+", re.IGNORECASE)
_CONDA_CONDITION = re.compile(r"(==|=|~=|!=|<=|>=|<|>)?(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.?dev\d+)?)((?:\.?\*)*)")
_CREDENTIALS = re.compile(
    r"(?<=://)[^/\s@]+(?=@)|(?<=/t/)[\w-]{20,}(?![^/\s])"
)  # the second: a token in the address of a channel of conda's
_EGG = re.compile(rf"#(?:.*&)?egg=({_NAME})(?:\[([^\]]*)\])?")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar\.gz|tar\.bz2|tar\.xz|tgz)$", re.IGNORECASE)

# Options of a requirements file: each way to write one, and its plain name. Those in _BARE have no value.
_OPTIONS = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--pypi-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "--trusted-host": "--trusted-host",
    "--no-binary": "--no-binary",
    "--only-binary": "--only-binary",
    "--use-feature": "--use-feature",
    "--pre": "--pre",
    "--no-index": "--no-index",
}
_BARE = {"--pre", "--no-index"}
_FILES = {"-r": "requirements", "--requirement": "requirements", "-c": "constraints", "--constraint": "constraints"}
_EDITABLE = {"-e", "--editable"}


@dataclass(frozen=True)
class Wanted:
    """What one environment asks for.

    Attributes:
        name: The environment's name.
        python: The Python: a version ('3.7', '3.6.2') or conditions ('>=3.6,<3.8'); None when none is named.
        requirements: Lines for pip, options and comments left out.
        conda: Packages for conda, Python and pip left out, as they are written.
        channels: conda's channels.
        options: Options for pip, each with its long name: '--index-url https://...', '--pre'.
        interpreter_path: The interpreter of a user-managed environment.
        is_user_managed: Whether the interpreter is used as it is.
        is_default: Whether nothing is asked for beyond what v1 itself writes into an environment.
        variables: Environment variables, sorted by name.
        image: The container image that is asked for; None for v1's own ones.
    """

    name: str
    python: Optional[str] = None
    requirements: Tuple[str, ...] = field(default=(), repr=False)  # lines and options may hold credentials
    conda: Tuple[str, ...] = ()
    channels: Tuple[str, ...] = field(default=(), repr=False)
    options: Tuple[str, ...] = field(default=(), repr=False)
    interpreter_path: Optional[str] = None
    is_user_managed: bool = False
    is_default: bool = False
    variables: Tuple[Tuple[str, str], ...] = field(default=(), repr=False)
    image: Optional[str] = None


@dataclass(frozen=True)
class Requirement:
    """One line for pip, in its parts.

    Attributes:
        name: The package's normal name; None for an address that does not tell it.
        extras: The extras, normal names, sorted.
        conditions: Operators and versions.
        url: The address or file it comes from, if one is given.
        marker: When it applies; empty for always.
    """

    name: Optional[str]
    extras: Tuple[str, ...] = ()
    conditions: Tuple[Tuple[str, str], ...] = ()
    url: Optional[str] = field(default=None, repr=False)
    marker: str = ""

    @property
    def is_pinned(self) -> bool:
        """Whether a version is asked for in any way."""
        return bool(self.conditions)

    @property
    def condition(self) -> str:
        """The conditions as text, such as '>=1,<2'."""
        return ",".join(operator + version for operator, version in self.conditions)

    def line(self) -> str:
        """Return the requirement as pip reads it."""
        marker = f" ; {self.marker}" if self.marker else ""
        if self.name is None:
            return f"{self.url}{marker}"
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        place = f" @ {self.url}" if self.url else self.condition
        return f"{self.name}{extras}{place}{marker}"


@dataclass(frozen=True)
class CondaPackage:
    """One package for conda, in its parts: `channel::name=version=build`."""

    name: str
    version: str = ""
    build: str = ""
    channel: Optional[str] = None


def parse_environment(document: Mapping[str, Any]) -> Wanted:
    """Return what a v1 environment definition (the camelCase document) asks for.

    Raises:
        Invalid: A line can't be read, or names a file that the service does not have; the message names both.
    """
    python, docker = document.get("python") or {}, document.get("docker") or {}
    conda = python.get("condaDependencies") or {}
    packages, lines = _split_packages(conda.get("dependencies") or [])
    requirements, options = parse_lines(lines)
    version = _find_python(packages)
    others = tuple(package for package in packages if parse_conda(package).name not in ("python", "pip"))
    pins = [package for package in packages if parse_conda(package).name == "pip" and parse_conda(package).version]
    user_managed = bool(python.get("userManagedDependencies"))
    return Wanted(
        name=str(document.get("name") or "environment"),
        python=version,
        requirements=(*requirements, *(f"pip{conda_condition(parse_conda(pin).version)}" for pin in pins)),
        conda=others,
        channels=tuple(str(channel) for channel in conda.get("channels") or ()),
        options=options,
        interpreter_path=python.get("interpreterPath") or None,
        is_user_managed=user_managed,
        is_default=not user_managed and not others and not options and _says_nothing(version, requirements),
        variables=_variables(document),
        image=_image(docker),
    )


def _split_packages(dependencies: Iterable[Any]) -> Tuple[List[str], List[str]]:
    packages: List[str] = []
    lines: List[str] = []
    for item in dependencies:
        if isinstance(item, Mapping):
            lines += [str(line) for line in item.get("pip") or []]
        else:
            packages.append(str(item).strip())
    return [package for package in packages if package and not package.startswith("#")], lines


def _find_python(packages: Iterable[str]) -> Optional[str]:
    for package in packages:
        parsed = parse_conda(package)
        if parsed.name == "python" and parsed.version:
            return _python_version(parsed.version)
    return None


def _python_version(version: str) -> str:
    """Return '3.7' for '3.7', '=3.7' and '3.7.*', and conditions as they are."""
    bare = re.sub(r"^={1,2}\s*", "", version)
    bare = re.sub(r"(?:\.?\*)+$", "", bare)
    return bare if re.fullmatch(r"\d+(?:\.\d+)*", bare) else conda_condition(version) or bare


def _says_nothing(version: Optional[str], requirements: Iterable[str]) -> bool:
    names = [parse_requirement(line).name for line in requirements]
    return version in (None, *V1_DEFAULT_PYTHONS) and all(is_ours(name) for name in names)


def _variables(document: Mapping[str, Any]) -> Tuple[Tuple[str, str], ...]:
    variables = document.get("environmentVariables") or {}
    # v1 gives this one to every environment; it says nothing.
    return tuple(sorted((str(name), str(value)) for name, value in variables.items() if name != "EXAMPLE_ENV_VAR"))


def _image(docker: Mapping[str, Any]) -> Optional[str]:
    image = docker.get("baseImage")
    return str(image) if image and not _V1_IMAGE.fullmatch(str(image)) else None


def is_ours(name: Optional[str]) -> bool:
    """Tell whether a package name means Penstock: `azureml-*`, which is never installed."""
    return name is not None and bool(_OURS.fullmatch(name))


def normal_name(name: str) -> str:
    """Return a package name as indexes spell it: lower case, with single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hide_credentials(text: str) -> str:
    """Return a text with user names, passwords and tokens of its addresses replaced by '***'."""
    return _CREDENTIALS.sub("***", text)


# Lines for pip


def parse_lines(lines: Iterable[str]) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Return the requirements and the options among the lines of a requirements file; comments are left out.

    Raises:
        Invalid: A line can't be read, or names a file.
    """
    requirements: List[str] = []
    options: List[str] = []
    for line in _join(lines):
        if line.startswith("-"):
            found, editable = _parse_options(line)
            options += [option for option in found if option not in options]
            requirements += editable
        else:
            requirements.append(parse_requirement(line).line())
    return tuple(requirements), tuple(options)


def _join(lines: Iterable[str]) -> List[str]:
    text = "\n".join(lines).replace("\\\n", " ")
    # A '#' inside a word is part of an address.
    bare = [re.sub(r"(?:^|\s)#.*$", "", line).strip() for line in text.splitlines()]
    return [line for line in bare if line]


def _parse_options(line: str) -> Tuple[List[str], List[str]]:
    """Return the options on one line, and the requirements that it names as editable."""
    words, options, requirements = _words(line), [], []
    while words:
        option, _, value = words.pop(0).partition("=")
        if option in _FILES:
            raise Invalid(
                f"'{hide_credentials(line)}' names a file with {_FILES[option]}, which only the submitting script could read. "
                "Write its lines into the environment, or use Environment.from_pip_requirements, which follows such lines."
            )
        plain = _OPTIONS.get(option, option)
        takes_value = option in _EDITABLE or (option in _OPTIONS and plain not in _BARE)
        if takes_value and not value:
            if not words:
                raise Invalid(f"The pip option '{hide_credentials(line)}' lacks its value.")
            value = words.pop(0)
        if option in _EDITABLE:
            requirements.append(parse_requirement(value).line())
        else:
            options.append(f"{plain} {value}" if value else plain)
            words = words if option in _OPTIONS else [word for word in words if word.startswith("-")]
    return options, requirements


def _words(line: str) -> List[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Invalid(f"The pip option '{hide_credentials(line)}' can't be read: {error}.") from error


def parse_requirement(line: str) -> Requirement:
    """Return one requirement in its parts.

    Raises:
        Invalid: It is no requirement; the message shows it and says how one looks.
    """
    text = re.sub(r"\s--?[A-Za-z].*$", "", line.strip())  # '--hash=...' and other options of one requirement
    if _ADDRESS.match(text) or text.startswith((".", "/", "~")) or _ARCHIVE.search(text.split(";")[0].strip().split("#")[0]):
        named = re.match(rf"{_NAME}\s*(?:\[[^\]]*\])?\s*@", text)
        if not named:
            return _parse_address(text, line)
    found = _REQUIREMENT.fullmatch(text)
    if not found:
        raise _unreadable(line)
    name, extras, rest = found.groups()
    if rest.startswith("@"):
        url, _, marker = _split_marker(rest[1:].strip(), r"\s;")
        return Requirement(normal_name(name), _extras(extras), (), _checked_place(url, line), marker)
    condition, _, marker = _split_marker(rest, ";")
    return Requirement(normal_name(name), _extras(extras), _conditions(condition, line), None, marker)


def _parse_address(text: str, line: str) -> Requirement:
    url, _, marker = _split_marker(text, r"\s;")
    egg = _EGG.search(url)
    if egg and _ADDRESS.match(url):
        plain = url[: egg.start()]
        rest = re.search(r"subdirectory=[^&]*", url[egg.start() :])
        plain += f"#{rest.group()}" if rest else ""
        return Requirement(normal_name(egg.group(1)), _extras(egg.group(2)), (), _checked_place(plain, line), marker)
    return Requirement(None, (), (), _checked_place(url, line), marker)


def _checked_place(url: str, line: str) -> str:
    if not url:
        raise _unreadable(line)
    if not _ADDRESS.match(url) and not url.startswith("/"):
        raise Invalid(
            f"The requirement '{hide_credentials(line)}' is a relative path, which only the submitting script could resolve. "
            "Give an absolute path, or copy the wheel with Environment.add_private_pip_wheel and use the address that it returns."
        )
    return url


def _split_marker(text: str, separator: str) -> Tuple[str, str, str]:
    parts = re.split(separator, text, maxsplit=1)
    return parts[0].strip(), "", " ".join(parts[1].split()) if len(parts) > 1 else ""


def _extras(text: Optional[str]) -> Tuple[str, ...]:
    return tuple(sorted({normal_name(extra.strip()) for extra in (text or "").split(",") if extra.strip()}))


def _conditions(text: str, line: str) -> Tuple[Tuple[str, str], ...]:
    bare = text.strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    conditions = []
    for part in filter(None, (part.strip() for part in bare.split(","))):
        found = _CONDITION.fullmatch(part)
        if not found:
            raise _unreadable(line)
        conditions.append((found.group(1), found.group(2)))
    return tuple(conditions)


def _unreadable(line: str) -> Invalid:
    single = re.fullmatch(rf"({_NAME})\s*=\s*([\w.]+)", line.strip())
    hint = f"Did you mean '{single.group(1)}=={single.group(2)}'?" if single else "One looks like 'pandas==1.1.5' or 'dask[complete]>=2.0'."
    return Invalid(f"pip can't read the requirement '{hide_credentials(line)}'. {hint}")


# Packages for conda


def parse_conda(text: str) -> CondaPackage:
    """Return one package for conda in its parts.

    Raises:
        Invalid: It is no conda package.
    """
    channel, _, rest = text.strip().rpartition("::")
    found = re.fullmatch(r"([A-Za-z0-9_][\w.-]*)\s*(.*)", rest, re.DOTALL)
    if not found:
        raise Invalid(
            f"conda can't read the package '{hide_credentials(text)}'. One looks like 'pandas=1.1.5' or 'conda-forge::lightgbm>=3'."
        )
    version, build = _conda_version(found.group(2).strip())
    return CondaPackage(normal_name(found.group(1)), version, build, channel or None)


def _conda_version(rest: str) -> Tuple[str, str]:
    """Return version and build of what stands after the name: '=1.2=h1', '==1.2', '>=1,<2', '1.2 h1', '[version=1.2]'."""
    if rest.startswith("["):
        found = {key: value.strip("'\"") for key, value in re.findall(r"(\w+)\s*=\s*('[^']*'|\"[^\"]*\"|[^,\]]+)", rest)}
        return found.get("version", ""), found.get("build", "")
    exact = re.fullmatch(r"=?=?\s*([^=\s<>!~,|]+)\s*=\s*([^=\s<>!~,|]+)", rest)
    if exact:
        return f"=={exact.group(1)}", exact.group(2)
    spaced = re.fullmatch(r"([\d.*]+)(?:\s+(\S+))?", rest)
    if spaced:
        return f"=={spaced.group(1)}", spaced.group(2) or ""
    return re.sub(r"\s+", "", rest), ""


def conda_condition(version: str) -> str:
    """Return a conda version condition in pip's words: '=1.2' is '==1.2.*'; empty when pip has no word for it."""
    conditions = []
    for part in filter(None, version.replace(" ", "").split(",")):
        if part.strip("=*"):
            found = _CONDA_CONDITION.fullmatch(part)
            if not found:
                return ""
            conditions.append(_in_pips_words(*found.groups()))
    return ",".join(conditions)


def _in_pips_words(operator: Optional[str], number: str, star: str) -> str:
    is_prefix = (operator == "=" or (star and operator in (None, "==", "!="))) and re.fullmatch(r"[\d.]+", number)
    if operator == "~=" and "." not in number:
        return f">={number}"
    return f"{'==' if operator in (None, '=') else operator}{number}{'.*' if is_prefix else ''}"
