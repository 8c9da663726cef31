"""Amounts of memory."""

from __future__ import annotations

import pytest

from specgl.engines import read_memory
from specgl.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4GB", 4 * 10**9),
        ("4gb", 4 * 10**9),
        (" 1.5 GiB ", 3 * 2**29),
        ("800MB", 8 * 10**8),
        ("512MiB", 2**29),
        ("100000KB", 10**8),
        ("0.001TB", 10**9),
        ("100000000", 10**8),
        ("100000000b", 10**8),
        (10**9, 10**9),
    ],
)
def test_sizes_that_people_write(text: str | int, expected: int) -> None:
    assert read_memory(text) == expected


@pytest.mark.parametrize(
    "text", ["", "GB", "four", "4G", "4 G B", "-4GB", "4,5GB", "1e9", "٤GB", "4GB4GB", "nan"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no amount of memory") as caught:
        read_memory(text)
    assert caught.value.findings[0].code == "E425"
    assert "4GB" in (caught.value.findings[0].help or "")


@pytest.mark.parametrize("text", ["0", "4", "4KB", "63MB", 0])
def test_too_little_is_refused(text: str | int) -> None:
    with pytest.raises(UsageError, match="too few"):
        read_memory(text)
