"""The stand-in's own process: `python -m dbpull.demo.heroku INSTANCE`."""

from __future__ import annotations

import sys

from dbpull.demo.heroku.server import StandInServer
from dbpull.demo.heroku.serving import main

if __name__ == "__main__":
    sys.exit(main(StandInServer))
