"""What `invoke` loads."""

from pathlib import Path

from invoke.collection import Collection

from dbpull import db
from dbpull.project import PROJECT

PROJECT.load(Path(__file__).parent)

ns = Collection(db)
