"""The local service's process: `python -m penstock.service HOME`.

Its first word on standard output is `ready`, or else the reason why it can't start; after that it writes to its log.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Serve a home folder until idle or stopped."""
    from penstock.model.errors import PenstockError
    from penstock.service.lifecycle import serve

    try:
        return serve(Path(sys.argv[1]))
    except (PenstockError, OSError) as error:
        print(error, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
