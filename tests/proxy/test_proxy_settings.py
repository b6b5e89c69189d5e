"""Settings: where they come from, who wins, what is refused, and that they are written down."""

import dataclasses
import re
from pathlib import Path

import pytest

from augury.errors import CapacityError, ConfigError
from augury.proxy import Settings
from augury.proxy.settings import read_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "proxy.md"


def shown(value: object) -> str:
    """A default as the table has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_setting_is_written_down() -> None:
    """With its default, in the order of the code."""
    rows = re.findall(r"^\| `(\w+)` \| .*? \| (.*?) \| ", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    settings = [
        (field.name, "" if field.default in (dataclasses.MISSING, "") else shown(field.default))
        for field in dataclasses.fields(Settings)
    ]
    assert settings == [(name, default.strip("`")) for name, default in rows]


def test_flags_win_over_variables_and_these_over_the_file(tmp_path: Path) -> None:
    """Each source fills in what those above it leave open."""
    path = tmp_path / "proxy.toml"
    path.write_text(
        'origin = "http://a"\nmemory = "1 MB"\nmax-head = "9 KiB"\nhosts = ["x", "y"]\n'
    )
    variables = {"AUGURY_PROXY_MEMORY": "2 MB", "AUGURY_PROXY_VERIFY": "no", "PATH": "/bin",
                 "AUGURY_PROXY_PREFETCH": "20%", "AUGURY_PROXY_CONFIG": "ignored"}  # fmt: skip
    found = read_settings(str(path), {"memory": "3 MB", "listen": None}, variables)
    assert Settings(
        origin="http://a", memory="3 MB", max_head="9 KiB", hosts="x,y", verify=False, prefetch=0.2
    ) == found  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AUGURY_PROXY_NONE": "1"}, "no setting 'none'"),
        ({"AUGURY_PROXY_VERIFY": "maybe"}, "expected yes or no"),
        ({"AUGURY_PROXY_GRACE": "long"}, "expected a number"),
        ({"AUGURY_PROXY_CONNECTIONS": "1.5"}, "expected a number"),
        ({"AUGURY_PROXY_NAME": "a b"}, "expected letters"),
        ({"AUGURY_PROXY_ORIGIN": ""}, "there is no origin"),
    ],
)
def test_what_cannot_be(variables: dict[str, str], said: str) -> None:
    """Is refused with its name and the way out."""
    with pytest.raises(ConfigError, match=said):
        read_settings(None, {}, {"AUGURY_PROXY_ORIGIN": "http://a", **variables})


def test_sizes_that_cannot_be() -> None:
    """Are errors of capacity."""
    with pytest.raises(CapacityError, match="max_body 'lots'"):
        Settings(origin="http://a", max_body="lots")


def test_a_file_with_unknown_keys(tmp_path: Path) -> None:
    """Is refused with what there is."""
    path = tmp_path / "proxy.toml"
    path.write_text("orgin = 'http://a'\n")
    with pytest.raises(ConfigError, match=r"'orgin' is no setting; they are access_log, .*origin"):
        read_settings(str(path), {}, {})
