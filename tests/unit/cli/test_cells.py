import ast

import pytest

from penstock.cli.cells import is_silenced, translate


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("x = 1\nprint(x)", "x = 1\nprint(x)"),
        ("%cd folder", "get_ipython().run_line_magic('cd', 'folder')"),
        ("!ls -l", "get_ipython().system('ls -l')"),
        ("files = !ls", "files = get_ipython().getoutput('ls')"),
        ("value = %pwd", "value = get_ipython().run_line_magic('pwd', '')"),
        ("if True:\n    !ls", "if True:\n    get_ipython().system('ls')"),
        ("print?", "get_ipython().inspect('print')"),
        ("pip install thing", "get_ipython().run_line_magic('pip', 'install thing')"),
        ("!pip install \\\n  thing", "get_ipython().system('pip install   thing')\n"),
        ("%%writefile a.py\nx = 1\n", "get_ipython().run_cell_magic('writefile', 'a.py', 'x = 1\\n')\n"),
        ("\n%%time\nf()", "get_ipython().run_cell_magic('time', '', 'f()')\n"),
    ],
)
def test_additions_of_notebooks_become_calls(cell: str, python: str) -> None:
    assert translate(cell) == python


@pytest.mark.parametrize("cell", ["x = 5\ny = (x\n%2)", 'text = """\n%cd folder\n!ls\n"""', "await thing()", "a = b != c", "a = 7\\\n% 3"])
def test_plain_python_is_left_alone(cell: str) -> None:
    assert translate(cell) == cell


def test_a_magic_beside_a_long_string_that_looks_like_one() -> None:
    text = translate('text = """\n!not a command\n"""\n!ls')
    assert ast.literal_eval(ast.parse(text).body[0].value) == "\n!not a command\n"  # type: ignore[attr-defined]
    assert text.endswith("get_ipython().system('ls')")


def test_a_cell_that_is_neither_keeps_its_error() -> None:
    assert translate("def broken(:\n  pass") == "def broken(:\n  pass"


@pytest.mark.parametrize(("cell", "silenced"), [("f();", True), ("f()", False), ("f(); # done", True), ("f('a;')", False)])
def test_a_semicolon_at_the_end_silences(cell: str, silenced: bool) -> None:
    assert is_silenced(cell) is silenced
