"""A TCP proxy in front of a server that can be frozen: nothing passes, and nobody is told.

What a cut of the network looks like to both sides, where namespaces are not permitted.
"""

import contextlib
import socket
import threading

__all__ = ["Proxy"]

CHUNK = 1 << 16


class Proxy:
    """Passes on what comes to a port of its own.

    Args:
        target: Port of the server.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Let nothing pass."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let all pass that has come meanwhile."""
        self._flows.set()

    def close(self) -> None:
        """Accept nobody else."""
        self.thaw()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            for source, sink in ((near, far), (far, near)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self._flows.wait()
                sink.sendall(data)
        self._flows.wait()
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        # The other direction ends by that; whoever is last closes.
        with contextlib.suppress(OSError):
            source.close()
