"""`flask …`: what whoever runs a chat types."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.app import create_app
from chat.models import Person, User
from chat.services.storage import schema
from tests.conftest import PASSWORD, Auth, free_port


@pytest.fixture
def flask(app):
    return app.test_cli_runner()


def test_create_tables_makes_them_once_with_stream_and_ttl(config):
    runner = create_app(replace(config, table_prefix=config.table_prefix + "new-")).test_cli_runner()
    first, second = runner.invoke(args=["create-tables"]), runner.invoke(args=["create-tables"])
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "messages" in first.output and second.output == "All tables are there.\n"
    storage = runner.app.extensions["parley"].storage
    table = storage.client.call("describe_table", TableName=storage.client.table("messages"))["Table"]
    ttl = storage.client.call("describe_time_to_live", TableName=storage.client.table("messages"))[
        "TimeToLiveDescription"
    ]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_create_tables_turns_a_missing_stream_on(config):
    app = create_app(config)
    storage = app.extensions["parley"].storage
    storage.client.call(
        "update_table", TableName=storage.client.table("messages"), StreamSpecification={"StreamEnabled": False}
    )
    assert schema.problems(storage) == [
        f"table {storage.client.table('messages')} has no stream: run `flask create-tables`"
    ]
    app.test_cli_runner().invoke(args=["create-tables"])
    assert schema.problems(storage) == []


def test_create_tables_needs_no_redis(config):
    app = create_app(replace(config, redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    assert app.test_cli_runner().invoke(args=["create-tables"]).exit_code == 0


def test_drop_tables_wants_to_hear_yes(flask, app):
    refused = flask.invoke(args=["drop-tables"])
    assert refused.exit_code == 2 and schema.problems(app.extensions["parley"].storage) == []
    assert flask.invoke(args=["drop-tables", "--yes"]).exit_code == 0
    assert len(schema.problems(app.extensions["parley"].storage)) == 3
    assert flask.invoke(args=["drop-tables", "--yes"]).output == "There were no tables.\n"


def test_create_user_makes_an_account_that_can_sign_in(flask, client):
    made = flask.invoke(args=["create-user", "Grace", "--password-stdin"], input=PASSWORD + "\n")
    assert (made.exit_code, made.output) == (0, "Grace can sign in now.\n")
    assert Auth(client).login("grace").status_code == 200


def test_create_user_refuses_in_a_plain_sentence(flask):
    short = flask.invoke(args=["create-user", "Grace", "--password-stdin"], input="short\n")
    assert short.exit_code == 1 and "at least 8 characters" in short.output


def test_the_doctor_finds_nothing_wrong_with_a_sound_installation(flask):
    found = flask.invoke(args=["doctor"])
    assert found.exit_code == 0 and found.output.startswith("All is well")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"redis_url": "redis://127.0.0.1:1/0"}, "redis answers: "),
        ({"dynamodb_endpoint": "http://127.0.0.1:1"}, "dynamodb answers: "),
        ({"table_prefix": "elsewhere-"}, "does not exist. To do: run `flask create-tables`"),
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"public_url": "http://chat.example.org"}, "PUBLIC_URL"),
    ],
)
def test_the_doctor_says_what_is_wrong(config, change, complaint):
    found = create_app(replace(config, **change)).test_cli_runner().invoke(args=["doctor"])
    assert found.exit_code == 2 and complaint in found.output


def test_restored_gives_every_room_a_generation_that_it_never_had(flask, app):
    found = app.extensions["parley"]
    ada = Person("ada", "Ada")
    found.storage.users.put(User("ada", "Ada"))
    found.rooms.memberships(ada)
    private = found.memberships.create(ada, "make", "Plans", "private")["room"]
    backup = [found.storage.rooms.get(room) for room in ("general", private)]
    assert flask.invoke(args=["restored"]).output == "2 rooms start over.\n"
    first = [found.storage.rooms.get(room).generation for room in ("general", private)]
    assert min(first) > 1_700_000_000
    for room, generation in zip(backup, first, strict=True):
        assert not found.storage.rooms.set_generation(room, 2), "only one of two that run at once"
        assert found.storage.rooms.get(room.id).generation == generation
    flask.invoke(args=["restored"])
    assert all(found.storage.rooms.get(room.id).generation > old for room, old in zip(backup, first, strict=True))


def test_restored_says_it_when_the_tables_cannot_be_reached(config):
    runner = create_app(replace(config, dynamodb_endpoint="http://127.0.0.1:1")).test_cli_runner()
    failed = runner.invoke(args=["restored"])
    assert failed.exit_code == 1 and failed.output.startswith("Error: ")
