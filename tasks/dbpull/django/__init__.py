"""The Django app: `./manage.py db:pull` and `db:push`, for INSTALLED_APPS.

Thin: target and settings are Django's, all else is done in `flows` and `push`.
"""
