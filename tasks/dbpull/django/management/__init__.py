"""The package where Django looks for commands."""

from dbpull.supported import refuse_elsewhere

refuse_elsewhere()
