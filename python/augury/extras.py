"""Optional packages, and the word about how to get them."""

from importlib import import_module
from types import ModuleType

from augury.errors import ConfigError

__all__ = ["require"]


def require(module: str, extra: str) -> ModuleType:
    """The module, or a :class:`~augury.ConfigError` that says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"this needs {module}, which cannot be imported ({error}): "
            f"pip install 'augury[{extra}]'"
        ) from error
