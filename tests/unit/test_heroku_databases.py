from __future__ import annotations

from typing import Any

import pytest
import responses
from responses.matchers import header_matcher, json_params_matcher

from dbpull.errors.heroku import (
    AmbiguousDatabase,
    DatabaseNotReady,
    HerokuError,
    UnknownApp,
)
from dbpull.errors.heroku_http import NoAccess
from dbpull.heroku import AppChoice, ServerAddress, database, database_info
from heroku_answers import (
    ADDON,
    DATA,
    PASSWORD,
    PLATFORM,
    api,
    attachment,
    shop_database,
)

RESOLVE = f"{PLATFORM}/actions/addon-attachments/resolve"
ATTACHED = f"{PLATFORM}/apps/shop/addon-attachments"
INFO = f"{DATA}/client/v11/databases/{ADDON}"
INCLUDED = header_matcher(
    {
        "Accept": "application/vnd.heroku+json; version=3.sdk",
        "Accept-Inclusion": "addon:plan,config_vars",
    }
)
NOT_FOUND = {"resource": "addon_attachment", "id": "not_found", "message": "No."}
NAVY = "HEROKU_POSTGRESQL_NAVY"
OTHER = "11111111-1111-4111-8111-111111111111"


def resolves_to(*attachments: dict[str, Any], attached: Any = None) -> None:
    """Heroku resolves to these; the billing app has `attached`, else these too."""
    responses.post(RESOLVE, json=attachments)
    there = list(attachments) if attached is None else attached
    owner = attachments[0]["addon"]["app"]["name"]
    responses.get(f"{PLATFORM}/apps/{owner}/addon-attachments", json=there)


# Which database


@responses.activate
def test_a_name_is_resolved_by_heroku() -> None:
    asked = {"addon_attachment": "DATABASE_URL", "app": "shop"}
    responses.post(
        RESOLVE, json=[attachment()], match=[INCLUDED, json_params_matcher(asked)]
    )
    responses.get(ATTACHED, json=[attachment()], match=[INCLUDED])

    found = database(api(), "shop")

    assert found == shop_database()


@responses.activate
def test_all_names_of_the_same_database_are_its_names() -> None:
    other = attachment("HEROKU_POSTGRESQL_RED", addon_id=OTHER)
    resolves_to(attachment(), attached=[attachment(), attachment(NAVY), other])

    assert database(api(), "shop").names == {"DATABASE", "NAVY"}


@responses.activate
def test_a_database_is_called_as_it_was_asked_for() -> None:
    resolves_to(attachment(NAVY), attached=[attachment(), attachment(NAVY)])

    assert database(api(), "shop", NAVY).name == "NAVY"


@responses.activate
def test_a_database_of_another_app_has_the_names_it_has_there() -> None:
    seen = attachment(app="reports", owner="shop")
    there = [attachment(NAVY), attachment("DATABASE", addon_id=OTHER)]
    resolves_to(seen, attached=there)

    found = database(api(), "reports")

    assert (found.app, found.billing_app) == ("reports", "shop")
    assert (found.name, found.names) == ("NAVY", frozenset({"NAVY"}))


@responses.activate
def test_another_apps_names_are_not_guessed_where_it_cannot_be_seen() -> None:
    responses.post(RESOLVE, json=[attachment(app="reports", owner="shop")])
    responses.get(ATTACHED, status=403, json={"id": "forbidden"})

    found = database(api(), "reports")

    assert (found.name, found.names) == ("DATABASE", frozenset())


@responses.activate
def test_a_name_for_several_attachments_of_one_database_is_no_question() -> None:
    resolves_to(attachment(NAVY), attachment())

    assert database(api(), "shop", "postgresql-curved-12345").name == "DATABASE"


@responses.activate
def test_the_default_credential_is_preferred() -> None:
    reader = attachment("READER", namespace="credential:reader", addon_id=OTHER)
    resolves_to(reader, attachment())

    assert database(api(), "shop", "x").id == ADDON


@responses.activate
def test_a_name_for_several_databases_is_ambiguous() -> None:
    resolves_to(attachment("RED"), attachment("BLUE", addon_id=OTHER))

    with pytest.raises(AmbiguousDatabase, match=r"'x' .* of shop: BLUE, RED"):
        database(api(), "shop", "x")


@responses.activate
def test_a_name_that_heroku_calls_ambiguous_is_ambiguous() -> None:
    responses.post(RESOLVE, status=422, json={"id": "multiple_matches"})

    with pytest.raises(AmbiguousDatabase, match="fits several databases of shop"):
        database(api(), "shop", "x")


@responses.activate
def test_other_addons_are_no_databases() -> None:
    responses.post(RESOLVE, json=[attachment("REDIS", plan="heroku-redis:mini")])
    responses.get(ATTACHED, json=[attachment(), attachment("R", plan="redis:x")])
    responses.get(f"{PLATFORM}/apps/shop/config-vars", json={})

    with pytest.raises(HerokuError, match=r"one of these .*: DATABASE\."):
        database(api(), "shop", "REDIS")


@responses.activate
def test_an_unknown_database_is_answered_with_the_valid_ones() -> None:
    responses.post(RESOLVE, status=404, json=NOT_FOUND)
    responses.get(ATTACHED, json=[attachment(), attachment(NAVY)])
    responses.get(f"{PLATFORM}/apps/shop/config-vars", status=403, json={})

    with pytest.raises(HerokuError, match="shop has no database called 'BLUE'") as e:
        database(api(), "shop", "BLUE")
    assert "DATABASE, NAVY" in e.value.remedy


@responses.activate
@pytest.mark.parametrize("name", ["MAIN_DB", "MAIN_DB_URL"])
def test_a_config_var_that_repeats_an_url_names_the_database(name: str) -> None:
    url = f"postgres://u1:{PASSWORD}@h/d"
    config = {"NAVY_URL": url, "MAIN_DB_URL": url, "DATABASE_URL": "postgres://x/y"}
    navy = attachment("NAVY", addon_id=OTHER)
    responses.post(RESOLVE, status=404, json=NOT_FOUND)
    responses.get(ATTACHED, json=[attachment(), navy])
    responses.get(f"{PLATFORM}/apps/shop/config-vars", json=config)

    found = database(api(), "shop", name)

    assert (found.name, found.id) == ("NAVY", OTHER)
    assert PASSWORD not in repr(found)


@responses.activate
def test_an_app_without_databases() -> None:
    responses.post(RESOLVE, status=404, json=NOT_FOUND)
    responses.get(ATTACHED, json=[attachment("REDIS", plan="heroku-redis:mini")])

    with pytest.raises(HerokuError, match="shop has no Heroku Postgres"):
        database(api(), "shop")


@responses.activate
@pytest.mark.parametrize("resource", ["app", "add_on attachment"])
def test_an_unknown_app_is_named_with_where_it_came_from(resource: str) -> None:
    missing = {"resource": resource, "id": "not_found"}
    responses.post(RESOLVE, status=404, json=missing)
    responses.get(f"{PLATFORM}/apps/shpo/addon-attachments", status=404, json={})

    with pytest.raises(UnknownApp, match=r"'shpo' \(from HEROKU_APP\)"):
        database(api(), AppChoice("shpo", None, "HEROKU_APP"))


@responses.activate
def test_another_apps_database_by_its_full_name() -> None:
    asked = {"addon_attachment": "NAVY", "app": "shop"}
    responses.post(RESOLVE, json=[attachment(NAVY)], match=[json_params_matcher(asked)])
    responses.get(ATTACHED, json=[attachment(NAVY)])

    assert database(api(), "reports", "shop::NAVY").app == "shop"


@responses.activate
def test_an_app_that_may_not_be_seen() -> None:
    responses.post(RESOLVE, status=403, json={"id": "forbidden", "message": "No."})

    with pytest.raises(NoAccess, match="DATABASE_URL of shop"):
        database(api(), "shop")


@responses.activate
def test_what_is_no_app_is_not_even_asked_for() -> None:
    with pytest.raises(HerokuError, match="cannot be the name"):
        database(api(), "../shop")
    assert len(responses.calls) == 0


@responses.activate
def test_attachments_that_are_not_understood_are_left_out() -> None:
    odd = [None, 1, {}, {"addon": None}, {"name": "X", "addon": {"plan": "x"}}]
    responses.post(RESOLVE, json=[*odd, attachment()])
    responses.get(ATTACHED, json=[*odd, attachment()])

    assert database(api(), "shop") == shop_database()


# What is known about it


@responses.activate
def test_a_database_tells_its_version_size_and_address() -> None:
    responses.get(
        INFO,
        json={
            "postgres_version": "16.4",
            "num_bytes": 5_720_000_000,
            "resource_url": f"postgres://u1:{PASSWORD}@ec2-1.example.com:5433/d%2F1",
            "info": [
                {"name": "Plan", "values": ["Standard 0"]},
                {"name": "Continuous Protection", "values": ["On"]},
                {"name": "Tables", "values": [12]},
            ],
        },
    )

    info = database_info(api(), shop_database())

    assert info.version == "16.4"
    assert info.size == 5_720_000_000
    assert info.server == ServerAddress("ec2-1.example.com", 5433, "d/1")
    assert info.continuous_protection
    assert PASSWORD not in repr(info)


@responses.activate
def test_a_shared_database_tells_its_version_in_its_info() -> None:
    odd = [None, {"name": "PG Version"}, {"values": [1]}]
    known = [
        {"name": "PG Version", "values": [15]},
        {"name": "Continuous Protection", "values": ["Off"]},
    ]
    responses.get(INFO, json={"info": [*odd, *known]})

    info = database_info(api(), shop_database())

    assert (info.version, info.size, info.server) == ("15", None, None)
    assert not info.continuous_protection


@responses.activate
def test_nothing_known_is_no_crash() -> None:
    responses.get(INFO, json={"info": "?", "num_bytes": "5 GB", "resource_url": 7})

    info = database_info(api(), shop_database())

    assert (info.version, info.size, info.server) == (None, None, None)


@responses.activate
def test_a_database_that_is_not_there_yet() -> None:
    responses.get(INFO, status=404, body="<h1>Not Found</h1>")

    with pytest.raises(DatabaseNotReady, match="postgresql-curved-12345 of shop"):
        database_info(api(), shop_database())


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("postgres://u:p@h/d", ServerAddress("h", 5432, "d")),
        ("postgresql://u:p@H.example.com:6000/d?sslmode=require", "h.example.com"),
        ("postgres://h/d", ServerAddress("h", 5432, "d")),
        ("postgres://u:p@[::1]:5432/d", ServerAddress("::1", 5432, "d")),
        ("postgres://u:p%40ss@h/d", ServerAddress("h", 5432, "d")),
        ("postgres://u:12/w@h/d", ServerAddress("h", 5432, "d")),
        ("postgres://u:a#b?c@x@h/d", ServerAddress("h", 5432, "d")),
        ("postgres://u:p@h/d%C3%A9", ServerAddress("h", 5432, "dé")),
        ("postgres://u:p@h/d?options=a@b", ServerAddress("h", 5432, "d")),
        ("postgres://u:p@h", None),
        ("mysql://u:p@h/d", None),
        ("", None),
        (None, None),
    ],
)
def test_a_database_url_is_read_without_its_secrets(
    url: object, server: ServerAddress | str | None
) -> None:
    found = ServerAddress.of(url)

    assert (found.host if isinstance(server, str) and found else found) == server
