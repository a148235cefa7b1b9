"""The commands to try after `db.demo`, and while a demo is kept."""

from __future__ import annotations

from dbpull.naming import command

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
  {command("pull")} --app=shop-staging-eu
  {command("push")} --app=shop-staging-eu
  {command("push")} --app=shop-staging-eu --undo"""
