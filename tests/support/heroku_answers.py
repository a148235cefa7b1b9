"""Tables of Heroku's answers, in the stand-in's words for them; and who asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clock import Clock
from dbpull.demo.heroku.account import Addon, AppRef, Attached
from dbpull.demo.heroku.platform_api import told_attachment
from dbpull.demo.heroku.transfers import TransferRecord, now
from dbpull.heroku import Api, ApiUrls, Database, Token

PLATFORM = "https://api.heroku.com"
DATA = "https://api.data.heroku.com"
TRANSFERS = f"{DATA}/client/v11/apps/shop/transfers"
SECRET = "t0k3n-of-a-test"
PASSWORD = "p4ss-w0rd"
ADDON = "5ba2ba8b-07a9-4a65-a808-585a50e37f98"
URL = f"postgres://u1:{PASSWORD}@ec2-1.example.com:5432/d1"
SHOP = Addon(
    id=ADDON,
    name="postgresql-curved-12345",
    app=AppRef("shop-id", "shop"),
    plan="heroku-postgresql:standard-0",
    source=URL,
    url=URL,
)


def api(clock: Clock | None = None, *, base: str = "", **options: Any) -> Api:
    """The client, with a clock of its own; `base` for both APIs at once."""
    clock = clock or Clock()
    hosts = ApiUrls(base, base) if base else ApiUrls(PLATFORM, DATA)
    token = Token(SECRET, "HEROKU_API_KEY")
    return Api(hosts, token, sleep=clock.sleep, clock=clock, **options)


def shop_database(**changes: Any) -> Database:
    """The database DATABASE of the app shop."""
    fields: dict[str, Any] = {
        "id": ADDON,
        "addon": "postgresql-curved-12345",
        "name": "DATABASE",
        "app": "shop",
        "billing_app": "shop",
        "plan": "standard-0",
        "names": frozenset({"DATABASE"}),
    }
    return Database(**fields | changes)


def attachment(
    name: str = "DATABASE",
    *,
    app: str = "shop",
    owner: str = "shop",
    addon_id: str = ADDON,
    plan: str = SHOP.plan,
    **changes: Any,
) -> dict[str, Any]:
    """An attachment as the Platform API answers it to `Accept-Inclusion`."""
    pays = AppRef(f"{owner}-id", owner)
    addon = replace(SHOP, id=addon_id, app=pays, plan=plan)
    attached = Attached(f"{name}-id", name, AppRef(f"{app}-id", app), addon)
    return told_attachment(attached, {"addon:plan", "config_vars"}) | changes


def transfer(number: int = 101, status: str = "finished", **changes: Any) -> Any:
    """A backup as the Data API answers it."""
    made = TransferRecord(number, SHOP, "DATABASE", uuid=_uuid(number))
    long_ago = datetime(2026, 1, min(number % 100 + 1, 28), 2, tzinfo=UTC)
    ended = status in ("finished", "failed", "canceled")
    made.created_at = made.updated_at = long_ago if ended else now()
    if status != "pending":
        made.started_at = long_ago
        made.source_bytes, made.processed_bytes = 8_000_000, 4_000_000
    if ended:
        made.finished_at, made.succeeded = long_ago, status == "finished"
    if status == "canceled":
        made.canceled_at = long_ago
    return made.shown() | changes


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
