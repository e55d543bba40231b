"""Tell whether this interpreter can make the virtual environment; say what to do when it can't.

Written for any Python, old ones too, because it is the first thing that runs.
"""

import sys

OLDEST = (3, 10)


def find_problem():
    """Return what stands in the way as one sentence, or None."""
    if sys.version_info[:2] < OLDEST:
        return sys.executable + " is too old. Penstock needs Python 3.10 or later: make PYTHON=/path/to/python3.12"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return sys.executable + " can't make virtual environments. Install its venv package (Debian, Ubuntu: apt install python3-venv)."
    return None


if __name__ == "__main__":
    sys.exit(find_problem())
