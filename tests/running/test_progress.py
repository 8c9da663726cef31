"""What a run shows: a bar on terminals, words elsewhere, nothing where silence is asked for."""

from __future__ import annotations

import io
import sys

import pytest

from specgl.running.progress import pace, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("unit", "speed", "left", "expected"),
    [
        ("shuffles", 1234.5, 3725.0, "1,234 shuffles/s, 1:02:05 left"),
        ("shuffles", 10.0, 0.4, "10 shuffles/s, 0:00:00 left"),
        ("shuffles", 0.0312, 59.6, "0.031 shuffles/s, 0:01:00 left"),
        ("shuffles", 5.0, None, "5 shuffles/s"),
        ("shuffles", None, None, ""),
        ("shuffles", 0.0, 5.0, ""),
        (None, 100.0, 5.0, ""),
    ],
)
def test_speed_and_time_left_in_words(
    unit: str | None, speed: float | None, left: float | None, expected: str
) -> None:
    assert pace(unit, speed, left) == expected


def test_silence() -> None:
    with progress_bar(show=False) as watcher:
        assert watcher is None


def test_words_but_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(show=True) as watcher:
        assert watcher is not None
        assert watcher.draw is None
        watcher.say("resumes: 1 of 2")
    assert capsys.readouterr() == ("", "resumes: 1 of 2\n")


def test_a_bar_in_shuffles_with_their_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with progress_bar(show=True) as watcher:
        assert watcher is not None
        assert watcher.draw is not None
        watcher.draw("load", 1, 2, None)
        watcher.draw("shuffles", 3000, 10_000, "shuffles")
        watcher.say("[bold]resumes[/bold]")
        for done in (3500, 4000, 4500):
            watcher.draw("shuffles", done, 10_000, "shuffles")
    shown = terminal.getvalue()
    assert "[bold]resumes[/bold]" in shown
    assert "4500/10000" in shown
    assert "shuffles/s" in shown
    assert " left" in shown
