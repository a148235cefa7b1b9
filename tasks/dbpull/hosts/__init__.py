"""A host (a machine reached over SSH): its programs, and a dump's transfer to it."""
