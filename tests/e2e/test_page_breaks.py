"""What is broken, or is called like a part of the machine, takes nothing else with it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.parley import new_id

NO_TIME = str(10**20)


def test_a_message_that_cannot_be_shown_says_so_and_the_others_are_there(parley, visitor):
    person, other = parley.person("Ada"), parley.person("Grace")
    room = person.room("broken", other)
    person.say(room, "before")
    at_ms = str(other.say(room, "of no time at all")["created_at_ms"])
    person.say(room, "after")
    reader = visitor("Invalid time value")

    def over_http(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(at_ms, NO_TIME))

    def over_socket(socket) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: socket.send(frame.replace(at_ms, NO_TIME) if isinstance(frame, str) else frame))

    reader.page.route("**/messages?*", over_http)
    reader.page.route_web_socket("**/socket.io/*", over_socket)
    reader.sign_in(person.name, f"/login?next=/r/{room}")
    expect(reader.log.get_by_text("This message can’t be shown.")).to_be_visible()
    assert reader.texts() == ["before", "after"]
    reader.write("all else goes on")
    expect(reader.message("all else goes on")).to_have_attribute("data-state", "sent")


def test_a_panel_that_cannot_be_shown_says_so_and_can_be_closed(parley, visitor):
    person = parley.person("Ada")
    reader = visitor("is not iterable")
    reader.sign_in(person.name)
    reader.page.route("**/members", lambda route: route.fulfill(json={"members": [{}]}))
    reader.page.get_by_role("button", name="People").click()
    panel = reader.page.get_by_role("dialog")
    expect(panel).to_contain_text("This panel cannot be shown.")
    panel.get_by_role("button", name="Close it").click()
    expect(panel).to_have_count(0)
    reader.write("all else goes on")
    expect(reader.message("all else goes on")).to_have_attribute("data-state", "sent")
    reader.page.unroute("**/members")
    reader.page.get_by_role("button", name="People").click()
    expect(reader.page.get_by_role("dialog", name="People in General")).to_contain_text(person.name)


@pytest.mark.parametrize("name", ["Иван", "Åsa", "山田"])
def test_a_person_of_any_alphabet_makes_a_room_at_the_page(parley, visitor, name):
    reader = visitor()
    reader.register(parley.new_name(name))
    room = parley.new_name("Комната ")
    reader.page.get_by_role("button", name="New room").click()
    reader.page.get_by_label("Room name").fill(room)
    reader.page.get_by_role("button", name="Create room").click()
    expect(reader.page.get_by_role("heading", name=room, level=1)).to_be_visible()


@pytest.mark.parametrize("name", ["constructor", "valueOf"])
def test_rooms_and_people_called_like_what_every_object_has_are_like_others(parley, visitor, name):
    person = parley.person("Ada")
    reader = visitor()
    reader.sign_in(person.name)
    for address in (f"/r/{name.lower()}", "/r/__proto__", "/r/hasOwnProperty"):
        reader.page.goto(address)
        expect(reader.page.get_by_role("heading", name="Not here", level=1)).to_be_visible()
    status, answer = person.post("/api/rooms", client_id=new_id(), name=name, kind="public")
    assert status == 201, answer
    room = answer["room"]["room"]
    namesake = visitor()
    namesake.register(name)
    assert person.act(room, "invite", username=name.lower())[0] == 204
    for guest in (reader, namesake):
        guest.page.goto(f"/r/{room}")
        expect(guest.page.get_by_role("heading", name=name, level=1)).to_be_visible()
        guest.in_sync()
    namesake.composer.press_sequentially("hello")
    expect(reader.page.get_by_text(f"{name} is typing")).to_be_visible()
    namesake.composer.press("Enter")
    reader.sees(["hello"])
    namesake.sees(["hello"])
