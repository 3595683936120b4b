"""What a browser on this machine is served, and what it is not."""

import threading
from collections.abc import Iterator

import pytest
import requests

from ringwatch.infra.analyst_server.server import make_server
from ringwatch.infra.process.ports import free_port

pytestmark = pytest.mark.unit
REPORT = "reports/date=2026-04-01/report.html"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a desk with a report, beside a file that is none of its own."""
    tmp_path = tmp_path_factory.mktemp("desk")
    report = tmp_path / "desk" / REPORT
    report.parent.mkdir(parents=True)
    report.write_text("<h1>Night</h1>")
    (tmp_path / "password").write_text("secret")
    port = free_port([])
    with make_server(tmp_path / "desk", port, "s3cret") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{port}"
        server.shutdown()


def get(url: str) -> requests.Response:
    """Get a URL as it is written: requests would resolve dots."""
    request = requests.Request("GET", url).prepare()
    request.url = url
    with requests.Session() as session:
        return session.send(request, timeout=10)


@pytest.mark.parametrize(
    ("name", "content"),
    [("guide.html", "carousel"), ("ringwatch.grass", "node.Ring"), ("queries.cypher", "$ring"), (REPORT, "Night")],
)
def test_neo4j_browser_which_is_another_origin_may_read_the_desk(desk: str, name: str, content: str) -> None:
    assert requests.options(f"{desk}/s3cret/{name}", timeout=10).headers["Access-Control-Allow-Origin"] == "*"
    answer = get(f"{desk}/s3cret/{name}")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert content in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "guide.html",
        REPORT,
        "other/guide.html",
        "s3cret/",
        "s3cret/glance.json",
        "s3cret/../password",
        "s3cret/reports/date=2026-04-01/../../../password",
        "s3cret/reports/date=2026-04-02/report.html",
        "s3cret//etc/passwd",
    ],
)
def test_nothing_is_served_without_the_secret_nor_beyond_the_desk(desk: str, path: str) -> None:
    assert get(f"{desk}/{path}").status_code == 404
