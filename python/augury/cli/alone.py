"""The server in an interpreter that has loaded nothing but it.

Run as a script by ``augury serve``, with the extension's path and the server's arguments: what the
command line's own modules take (30 MB) would be taken from ``--memory``.
"""

import signal
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader

__all__: list[str] = []

if __name__ == "__main__":
    # The server ends on signals by itself; the interpreter would only note them for later.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    name = "augury._core"
    loader = ExtensionFileLoader(name, sys.argv[1])
    spec = spec_from_loader(name, loader)
    assert spec is not None
    core = module_from_spec(spec)
    loader.exec_module(core)
    sys.exit(core.serve(["augury serve", *sys.argv[2:]]))
