"""Finding a port that nobody listens on."""

import socket
from collections.abc import Iterable

HOST = "127.0.0.1"


def free_port(preferred: Iterable[int]) -> int:
    """The first of the preferred ports that is free, else any."""
    for port in preferred:
        if _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    return port


def _is_free(port: int) -> bool:
    """Whether nobody listens there, on this machine's own address or on all of them."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended is no obstacle
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
