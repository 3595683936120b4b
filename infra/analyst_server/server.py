"""Serves an analyst's desk to Neo4j Browser on this machine: guide, style, saved queries, nightly reports.

`python -m ringwatch.infra.analyst_server.server FOLDER PORT`, with a secret in RINGWATCH_DESK_SECRET: it is the first
part of every path, so that a page from elsewhere, which may ask this address too, cannot guess where the account ids
are. Listens on 127.0.0.1 alone.
"""

import os
import re
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ringwatch.graph_schema.browser.glance import read_glance
from ringwatch.graph_schema.browser.guide import guide_html, saved_queries
from ringwatch.graph_schema.browser.style import grass
from ringwatch.infra.process.ports import HOST

SECRET = "RINGWATCH_DESK_SECRET"
_REPORT = re.compile(r"reports/date=\d{4}-\d{2}-\d{2}/report\.html")
_KINDS = {".html": "text/html", ".grass": "text/plain", ".cypher": "text/plain"}


def desk_files(folder: Path, url: str | None) -> dict[str, Callable[[], str]]:
    """The files of a desk but for its reports, each as it stands when it is asked for.

    Args:
        folder: where nights leave what they have for the desk.
        url: at which the desk is served, for the guide's link to the report; None: it links to none.
    """
    return {
        "guide.html": lambda: guide_html(read_glance(folder, url)),
        "ringwatch.grass": grass,
        "queries.cypher": saved_queries,
    }


def make_server(folder: Path, port: int, secret: str) -> ThreadingHTTPServer:
    """The server of a folder, bound and ready to serve."""
    files = desk_files(folder, f"http://{HOST}:{port}/{secret}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = _content(self.path, folder, files, secret)
            if content is None:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"")
            else:
                self._answer(HTTPStatus.OK, _KINDS[Path(self.path).suffix], content)

        def do_OPTIONS(self) -> None:
            self._answer(HTTPStatus.NO_CONTENT, "text/plain", b"")

        def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            # Neo4j Browser is another origin, and asks first whether it may.
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: paths hold the secret."""

    return ThreadingHTTPServer((HOST, port), Handler)


def _content(path: str, folder: Path, files: dict[str, Callable[[], str]], secret: str) -> bytes | None:
    name = path.removeprefix(f"/{secret}/")
    if name in files:
        return files[name]().encode()
    if name != path and _REPORT.fullmatch(name) and (folder / name).is_file():
        return (folder / name).read_bytes()
    return None


if __name__ == "__main__":
    make_server(Path(sys.argv[1]), int(sys.argv[2]), os.environ.pop(SECRET)).serve_forever()
