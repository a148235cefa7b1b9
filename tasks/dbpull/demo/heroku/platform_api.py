"""Heroku's Platform API, as far as pulling a database needs it."""

from __future__ import annotations

from aiohttp import web

from dbpull.demo.heroku import refusals
from dbpull.demo.heroku.account import Addon, AppRef, Attached, HerokuAccount

CREATED = "2020-12-13T16:22:40Z"
ACCOUNT = "01234567-89ab-cdef-0123-456789abcdef"


class PlatformApi:
    """Apps, add-ons, attachments, config vars."""

    def __init__(self, account: HerokuAccount) -> None:
        self._account = account

    def routes(self) -> list[web.RouteDef]:
        """The routes of the Platform API."""
        return [
            web.post("/actions/addon-attachments/resolve", self.resolve),
            web.get("/account", self.account),
            web.get("/apps/{app}", self.app),
            web.patch("/apps/{app}", self.change_app),
            web.get("/apps/{app}/addons", self.addons),
            web.get("/apps/{app}/addon-attachments", self.attachments),
            web.get("/addons/{addon}/addon-attachments", self.attachments_of),
            web.get("/apps/{app}/config-vars", self.config_vars),
        ]

    async def resolve(self, request: web.Request) -> web.Response:
        """Find attachments by their name, config var or add-on."""
        wanted = await request.json()
        found = self._account.attached
        if wanted.get("app"):
            found = self._account.attachments(self._known(wanted["app"]))
        service = wanted.get("addon_service")
        found = [
            attached
            for attached in found
            if attached.answers_to(str(wanted.get("addon_attachment", "")))
            and service in (None, attached.addon.plan.partition(":")[0])
        ]
        if not found:
            raise refusals.ErrorResponse(
                refusals.in_json(
                    404,
                    message="Couldn't find that add on attachment.",
                    resource="addon_attachment",
                )
            )
        return refusals.as_json([told_attachment(a, _included(request)) for a in found])

    async def account(self, request: web.Request) -> web.Response:
        """The account of the token."""
        del request
        return refusals.as_json({"id": ACCOUNT, "email": "ada@example.com"})

    async def app(self, request: web.Request) -> web.Response:
        """One app."""
        app = self._known(request.match_info["app"])
        return refusals.as_json(
            {
                **_named(app),
                "created_at": CREATED,
                "updated_at": CREATED,
                "maintenance": app.id in self._account.in_maintenance,
                "region": {"name": "eu"},
                "stack": {"name": "heroku-24"},
                "web_url": f"https://{app.name}.example.com/",
            }
        )

    async def change_app(self, request: web.Request) -> web.Response:
        """Switch an app's maintenance mode, the one thing that can be changed."""
        app = self._known(request.match_info["app"])
        wanted = (await request.json()).get("maintenance")
        if wanted:
            self._account.in_maintenance.add(app.id)
        elif wanted is not None:
            self._account.in_maintenance.discard(app.id)
        return await self.app(request)

    async def addons(self, request: web.Request) -> web.Response:
        """Add-ons that the app owns or has attached."""
        app = self._known(request.match_info["app"])
        seen = {a.addon.id: a.addon for a in self._account.attachments(app)}
        owned = {a.id: a for a in self._account.addons.values() if a.app == app}
        listed = (seen | owned).values()
        return refusals.as_json([self._addon(addon, app) for addon in listed])

    async def attachments(self, request: web.Request) -> web.Response:
        """An app's attachments."""
        app = self._known(request.match_info["app"])
        found = self._account.attachments(app)
        return refusals.as_json([told_attachment(a, _included(request)) for a in found])

    async def attachments_of(self, request: web.Request) -> web.Response:
        """An add-on's attachments, to whichever app."""
        addon = self._account.addon(request.match_info["addon"])
        found = [a for a in self._account.attached if a.addon == addon]
        return refusals.as_json([told_attachment(a, _included(request)) for a in found])

    async def config_vars(self, request: web.Request) -> web.Response:
        """An app's config vars, passwords included as in Heroku's own answer."""
        app = self._known(request.match_info["app"])
        return refusals.as_json(self._account.config_vars(app))

    def _known(self, wanted: str) -> AppRef:
        app = self._account.app(wanted)
        if app is None:
            raise refusals.no_app()
        return app

    def _addon(self, addon: Addon, app: AppRef) -> dict[str, object]:
        attached = self._account.attachments(app)
        return {
            "id": addon.id,
            "name": addon.name,
            "app": _named(addon.app),
            "addon_service": {"name": addon.plan.partition(":")[0]},
            "plan": {"name": addon.plan},
            "config_vars": [a.config_var for a in attached if a.addon == addon],
            "state": "provisioned",
            "billing_entity": {**_named(addon.app), "type": "app"},
            "created_at": CREATED,
            "updated_at": CREATED,
        }


def _named(named: AppRef) -> dict[str, object]:
    return {"id": named.id, "name": named.name}


def _included(request: web.Request) -> set[str]:
    header = request.headers.get("Accept-Inclusion", "")
    return set(header.replace(" ", "").split(","))


def told_attachment(attached: Attached, included: set[str]) -> dict[str, object]:
    """An attachment's JSON; plan and config vars only where included."""
    addon = attached.addon
    told_addon: dict[str, object] = {
        "id": addon.id,
        "name": addon.name,
        "app": _named(addon.app),
    }
    if "addon:plan" in included:
        told_addon["plan"] = {"name": addon.plan}
    told: dict[str, object] = {
        "id": attached.id,
        "name": attached.name,
        "namespace": None,  # the default credential
        "app": _named(attached.app),
        "addon": told_addon,
        "created_at": CREATED,
        "updated_at": CREATED,
    }
    if "config_vars" in included:
        told["config_vars"] = [attached.config_var]
    return told
