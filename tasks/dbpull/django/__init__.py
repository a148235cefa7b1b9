"""The Django app: `./manage.py db:pull` and `db:push`, for INSTALLED_APPS.

A thin face: target and settings are gathered as Django has them, the flow is `steps`.
"""
