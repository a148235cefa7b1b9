"""The faulty stand-in's own process: `python -m faulty_stand_in INSTANCE`."""

from __future__ import annotations

import sys

from dbpull.demo.heroku.serving import main
from faulty_stand_in.server import FaultyServer

if __name__ == "__main__":
    sys.exit(main(FaultyServer))
