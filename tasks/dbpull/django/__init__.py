"""The Django app: `./manage.py db:pull` and `db:push`, for INSTALLED_APPS.

Target and settings are Django's; `flows` and `push` do the work.
"""
