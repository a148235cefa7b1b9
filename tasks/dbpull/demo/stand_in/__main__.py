"""The stand-in's own process: `python -m dbpull.demo.stand_in INSTANCE`."""

from __future__ import annotations

import sys

from dbpull.demo.stand_in.server import StandInServer
from dbpull.demo.stand_in.serving import main

if __name__ == "__main__":
    sys.exit(main(StandInServer))
