"""Fetching a runtime: nothing is stored that is not the published file. The servers are in this process, and
each request is made by a child with a store of its own."""

import http.server
import json
import threading

import pytest

from conftest import scripted_runtime

GET = """
import json
try:
    found = {{"path": str(rkchat.Runtime.get(**{options}))}}
except rkchat.RkchatError as error:
    found = {{"kind": str(error.kind), "message": error.message, "details": error.details}}
print(json.dumps(found))
"""
LIBRARY = "/files/librkllmrt.so"


@pytest.fixture
def get(child, places):
    def get(**options):
        found = json.loads(child(GET.format(options=options), environment=places.environment))
        assert not list(places.store.rglob("librkllmrt.so*")), "something was stored"
        return found

    return get


@pytest.fixture
def server():
    """Answers every request with `server.answer`: status, body, and the length that it says the body has."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body, length = server.answer
            server.asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_that_is_another(get):
    found = get(release="1.1.4", source=str(scripted_runtime("1.1.0")))
    assert found["kind"] == "runtime_invalid"
    details = found["details"]
    assert details["size"] == scripted_runtime("1.1.0").stat().st_size
    assert len(details["found_sha1"]) == 40 and details["found_sha1"] in found["message"]
    assert len(details["expected_sha1"]) == 40 and details["expected_sha1"] in found["message"]
    assert "is not runtime 1.1.4 for Linux/aarch64" in found["message"]
    other = get(model_version="1.1.2", source=str(scripted_runtime("1.1.0")))
    assert other["kind"] == "runtime_invalid" and "is not runtime 1.1." in other["message"]


@pytest.mark.parametrize(
    "options, kind, message",
    [
        ({}, "invalid_argument", "one of release and model_version"),
        ({"release": "1.1.4", "model_version": "1.1.4"}, "invalid_argument", "and only one"),
        ({"release": "9.9.9"}, "invalid_argument", '"9.9.9" is not a release that rkchat knows; known are 1.0.0'),
        ({"release": "1.1.4", "platform": "Plan9/mips"}, "invalid_argument", "for Plan9/mips, only for Android"),
        ({"model_version": "1.1.4", "platform": "Plan9/mips"}, "invalid_argument", "for Plan9/mips, only for Android"),
        ({"model_version": "one"}, "invalid_argument", '"one" is not a version'),
        ({"release": "1.1.4", "source": "ftp://example.org/librkllmrt.so"}, "invalid_argument", "http:// and https://"),
        ({"release": "1.1.4", "source": "/no/such/file"}, "not_found", "/no/such/file"),
    ],
)
def test_arguments(get, options, kind, message):
    found = get(**options)
    assert found["kind"] == kind and message in found["message"]


@pytest.mark.parametrize(
    "answer, kind, message",
    [
        ((404, b"none here", 9), "io", "the server answered 404 Not Found"),
        ((200, b"\x7fELF and more", 13), "runtime_invalid", "is a library, but another one or a damaged one"),
        ((200, b"<!DOCTYPE html><p>Log in", 24), "runtime_invalid", "is an HTML page"),
        ((200, b"\x7fELF", 5_000_000), "io", "after 4 bytes"),
        ((200, b"", 1 << 40), "runtime_invalid", "more than 64 MB"),
    ],
    ids=["missing", "another", "page", "cut", "endless"],
)
def test_servers(get, server, answer, kind, message):
    server.answer = answer
    found = get(release="1.1.4", source=server.url + LIBRARY)
    assert found["kind"] == kind and message in found["message"], found
    assert f"{server.url}{LIBRARY}" in found["message"] and "Nothing was stored" in found["message"]
    assert server.asked == [LIBRARY]


def test_a_copy_of_the_repository(get, server):
    server.answer = (404, b"", 0)
    found = get(release="1.1.4", source=server.url)
    assert found["kind"] == "io" and "rkchat runtime get 1.1.4 --from FILE" in found["message"]
    assert server.asked[0].endswith("/aarch64/librkllmrt.so")
