"""A step that tells when its first line ran."""

import sys
import time

with open(sys.argv[1], "w") as file:
    file.write(repr(time.time()))
