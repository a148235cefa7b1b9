"""What `db.demo` says of its pull; what to try after it, and while it is kept."""

from __future__ import annotations

from dbpull.naming import command, setting

PULLED = f"""\
The same customers here: {setting("mask")} in invoke.yaml has rules for such columns.
A text column with neither a rule nor a line in kept-columns.txt stops a pull."""
NEXT = f"""\
That was the real dbpull; Heroku and the server were made up. What to try next:
  {command("demo")} --keep     leave them running, and break things yourself
  {command("pull")} --dry-run  the plan for your own app; nothing is changed
  invoke --list             all tasks; README.md has the settings"""
KEPT = f"""\
It stays until `{command("stop")} --demo`. In a shell that has the lines above, any
`{command("*")}` (and the Heroku CLI) talks to the made-up Heroku. Pass --app=shop, or
  cd {{folder}}
What to try:
  {command("push")} --app=shop-staging-eu
  {command("push")} --app=shop-staging-eu --undo
  {command("pull")} --app=shop-staging-eu
And in that folder, with its masks:
  rm kept-columns.txt && {command("pull")}      it stops at undecided columns
  {command("fetch")} && {command("mask")} --init  asks about them in that file again"""
