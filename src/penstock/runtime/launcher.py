"""What the executor starts: `python launcher.py <attempt folder>`. Small, as a script is compiled anew at each start."""

import sys

library = sys.path[0].rpartition("/penstock/")[0]
sys.path[0] = library  # our own folder must not be seen: the script would find our modules by their short names
import penstock.runtime.attempt as attempt  # noqa: E402 - only now can it be found

del sys.path[0]
attempt.main(sys.argv[1], library)
