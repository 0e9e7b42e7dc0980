from tests.e2e.test_short_rooms import bury
import time
def test_dbg(parley, visitor):
    person = parley.person("Ada")
    room = person.room("short", kind="private")
    bury(parley, person, room, 1000)
    reader = visitor()
    reader.page.on("console", lambda m: print("CONSOLE", m.text))
    reader.page.on("pageerror", lambda m: print("ERR", m))
    reader.page.on("requestfinished", lambda r: print("REQ", r.url, r.response().status))
    reader.page.on("requestfailed", lambda r: print("FAILED", r.url, r.failure))
    reader.sign_in(person.name, f"/login?next=/r/{room}")
    t=time.time()
    while time.time()-t<12: reader.page.wait_for_timeout(500)
    print(reader.log.inner_html())
    assert 0
