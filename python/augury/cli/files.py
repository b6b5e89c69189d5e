"""Writing a result to a file."""

from pathlib import Path

from augury.errors import ConfigError

__all__ = ["check_target", "is_same_file", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write the text; whatever is in the way, the error names the file."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to one file, be it there or not."""
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def check_target(path: Path, source: str, others: tuple[Path, ...] = ()) -> None:
    """Refuse before the work a file that cannot be written, or that is one of those in use."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file")
    if not path.parent.is_dir():
        raise ConfigError(f"{path} cannot be written: there is no folder {path.parent}")
    if is_same_file(path, Path(source)):
        raise ConfigError(f"{path} is the trace {source}: write to another file")
    for other in others:
        if is_same_file(path, other):
            raise ConfigError(f"{path} is named twice: name two files")
