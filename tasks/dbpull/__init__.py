"""dbpull: replace a development database by production's, safely and fast."""

import sys

__version__ = "0.1.0"

# Invoke switches bytecode off (its --write-pyc): every start would compile all modules
# of a checkout. The user's own choice holds again.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
