"""dbpull: replace a development database with a Heroku app's latest backup."""

import sys

__version__ = "0.1.0"

# Invoke switches bytecode off (its --write-pyc), so that of a checkout every module
# would be compiled at every start; what the user asked of Python holds again.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
