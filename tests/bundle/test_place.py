"""Either the old bundle or the new one, never a mixture; and never two writers."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from specgl.bundle import (
    Failure,
    Run,
    Status,
    claim,
    open_bundle,
    place,
    verify,
    write,
    write_failure,
    writing,
)
from specgl.errors import UsageError, VerificationError, WriteError


def codes(error):
    return [finding.code for finding in error.value.findings]


def seed_of(where):
    """Which of two contents stands there: told by the first t value."""
    return round(float(open_bundle(where).maps["stat"][0, 3, 3, 2]), 4)


@pytest.fixture
def failure(make_contents):
    base = make_contents()
    return Failure(
        name=base.name,
        status=Status.FAILED,
        stage="fit",
        message="E400: no degrees of freedom",
        run=base.run,
        spec=base.spec,
        inputs=base.inputs,
        roots=base.roots,
    )


def litter(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.startswith("."))


def test_a_complete_bundle_is_refused_and_overwritten_when_asked(make_contents, tmp_path):
    target = tmp_path / "results" / "out"
    write(target, make_contents(0))
    old = seed_of(target)
    with pytest.raises(UsageError) as error:
        write(target, make_contents(1))
    assert codes(error) == ["E410"]
    assert seed_of(target) == old
    write(target, make_contents(1), overwrite=True)
    verify(target)
    assert seed_of(target) != old
    assert litter(target.parent) == []


def test_it_is_refused_before_anything_is_computed(make_contents, tmp_path):
    write(tmp_path / "out", make_contents())
    with pytest.raises(UsageError, match="E410"), claim(tmp_path / "out", overwrite=False):
        pytest.fail("the claim was granted")


@pytest.mark.parametrize("exchange", [True, False])
def test_both_ways_of_replacing(make_contents, tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(place, "_exchange", lambda one, other: False)
    write(tmp_path / "out", make_contents(0))
    old = seed_of(tmp_path / "out")
    write(tmp_path / "out", make_contents(1), overwrite=True)
    verify(tmp_path / "out")
    assert seed_of(tmp_path / "out") != old
    assert litter(tmp_path) == []


def test_what_is_no_bundle_is_never_replaced(make_contents, tmp_path):
    contents = make_contents()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("text")
    write(tmp_path / "real", contents)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("mine", "file", "link"):
        with pytest.raises(UsageError) as error:
            write(tmp_path / name, contents, overwrite=True)
        assert codes(error) == ["E412"]
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_may_be_filled(make_contents, tmp_path):
    (tmp_path / "out").mkdir()
    verify(write(tmp_path / "out", make_contents()))


def test_paths_that_end_in_no_name(make_contents, tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "a" / "b" / "mine").write_text("")
    with pytest.raises(UsageError, match="E412"):
        write(tmp_path / "a" / "b" / "..", make_contents())
    with pytest.raises(UsageError, match="E412"):
        write(Path(tmp_path.anchor), make_contents())
    assert write(tmp_path / "a" / ".." / "c", make_contents()) == tmp_path / "c"
    monkeypatch.chdir(tmp_path)
    assert write(Path("d"), make_contents()) == tmp_path / "d"


@pytest.mark.parametrize("when", [0, 7, 20, 33])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"]
)
def test_a_full_disk_and_ctrl_c_leave_what_was_there(make_contents, tmp_path, monkeypatch, when, error):
    target = tmp_path / "out"
    write(target, make_contents(0))
    before = {p: p.read_bytes() for p in target.rglob("*") if p.is_file()}
    calls = iter(range(10**6))

    def fsync(handle):
        if next(calls) == when:
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises((WriteError, KeyboardInterrupt)) as caught:
        write(target, make_contents(1), overwrite=True)
    monkeypatch.undo()
    if isinstance(error, OSError):
        assert codes(caught) == ["E411"]
        assert "No space left" in str(caught.value)
        assert caught.value.exit_code == 4
    assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == before
    assert litter(tmp_path) == []


def test_a_disk_that_fills_up_amid_a_map(make_contents, tmp_path, monkeypatch):
    def full(file, *args, **kwargs):
        file.write(b"half a map")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing, "write_map", full)
    with pytest.raises(WriteError):
        write(tmp_path / "out", make_contents())
    assert not (tmp_path / "out").exists()
    assert litter(tmp_path) == []


def test_a_target_below_a_file_cannot_be_written(make_contents, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError) as error:
        write(tmp_path / "file" / "out", make_contents())
    assert codes(error) == ["E411"]


def test_a_second_run_to_the_same_target_is_refused(make_contents, tmp_path):
    contents = make_contents()
    with claim(tmp_path / "out", overwrite=False) as mine:
        with pytest.raises(UsageError) as error:
            write(tmp_path / "out", contents)
        assert codes(error) == ["E413"]
        verify(write(tmp_path / "other", contents))
        verify(write(mine, contents))
    assert litter(tmp_path) == []


def test_an_error_of_the_caller_under_a_claim_stays_its_own(tmp_path):
    with pytest.raises(FileNotFoundError), claim(tmp_path / "out", overwrite=False):
        (tmp_path / "no such file").read_bytes()
    assert litter(tmp_path) == []


def test_where_the_file_system_keeps_no_locks_a_living_writer_is_seen(make_contents, tmp_path, monkeypatch):
    from specgl.bundle import lock

    def no_locks(handle):
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr(lock, "_lock", no_locks)
    contents = make_contents()
    other = tmp_path / f".out.{os.getppid()}.partial"
    other.mkdir()
    with pytest.raises(UsageError, match="E413"):
        write(tmp_path / "out", contents)
    other.rmdir()
    (tmp_path / ".out.4194999.partial").mkdir()  # beyond the largest process number
    verify(write(tmp_path / "out", contents))
    assert litter(tmp_path) == []


def test_what_dead_runs_left_is_swept_up(make_contents, tmp_path):
    contents = make_contents()
    write(tmp_path / "out", contents)
    (tmp_path / "out").rename(tmp_path / ".out.77.aside")
    (tmp_path / ".out.77.partial").mkdir()
    (tmp_path / ".out.77.partial" / "half").write_text("")
    (tmp_path / ".outer.77.partial").mkdir()
    with pytest.raises(UsageError, match="E410"):  # the old bundle is back
        write(tmp_path / "out", contents)
    verify(tmp_path / "out")
    assert litter(tmp_path) == [".outer.77.partial"]


def test_failed_runs_leave_a_record_that_the_next_run_replaces(make_contents, failure, tmp_path):
    where = write_failure(tmp_path / "out", failure)
    assert where == tmp_path / "out"
    bundle = open_bundle(where)
    assert bundle.status is Status.FAILED
    assert (bundle.manifest["stage"], bundle.manifest["message"]) == ("fit", failure.message)
    assert bundle.spec == failure.spec.resolved
    assert len(bundle.inputs["files"]) == len(failure.inputs)
    assert len(bundle.maps) == 0
    assert bundle.results.empty
    assert "ended in the stage 'fit'" in bundle.summary()
    with pytest.raises(VerificationError) as error:
        verify(where)
    assert codes(error) == ["E511"]
    verify(write(tmp_path / "out", make_contents()))


def test_a_failure_never_replaces_a_complete_bundle(make_contents, failure, tmp_path):
    target = write(tmp_path / "out", make_contents())
    for _ in range(2):
        assert write_failure(target, failure) == tmp_path / "out.failed"
        verify(target)
    assert open_bundle(tmp_path / "out.failed").status is Status.FAILED


def test_an_interrupted_run_whose_spec_is_not_known(tmp_path, failure):
    from dataclasses import replace

    bare = replace(failure, status=Status.INTERRUPTED, spec=None, run=Run(started=failure.run.started))
    bundle = open_bundle(write_failure(tmp_path / "out", bare))
    assert bundle.status is Status.INTERRUPTED
    assert bundle.spec is None
    with pytest.raises(LookupError):
        bundle.mask


KILLED = """
    import os, sys, pickle
    os.fsync = lambda handle: None  # the system lives on when a process dies, and so do its buffers
    from pathlib import Path
    from specgl.bundle import verify, write, place
    from specgl.engines import Threads
    from specgl.bundle.tree import walk

    target = Path(sys.argv[1]) / "out"
    old, new = pickle.loads(Path(sys.argv[1], "contents.pickle").read_bytes())
    if sys.argv[2] == "aside":
        place._exchange = lambda one, other: False
    # What moves or makes anything on the disk: a process may die right before each of them.
    EVENTS = {"os.mkdir", "os.rename", "os.rmdir", "os.remove", "open"}

    def die_before(number):
        seen = 0
        def hook(event, args):
            nonlocal seen
            writes = event != "open" or (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if event in EVENTS and writes:
                seen += 1
                if seen == number:
                    os._exit(9)
        sys.addaudithook(hook)

    def run(number):
        child = os.fork()
        if child == 0:
            die_before(number)
            try:
                write(target, new, overwrite=True, engine=Threads(1))
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def digest():
        return verify(target) or (target / "manifest.json").read_bytes()

    write(target, old)
    before, number, step, news = digest(), 1, int(sys.argv[3]), 0
    while run(number) == 9:
        if target.exists():
            if digest() != before:
                news += 1
        else:  # only between the two renames of the way aside
            assert sys.argv[2] == "aside", number
        with place.claim(target, overwrite=True):
            pass
        digest()
        assert not [p for p in target.parent.iterdir() if p.name.startswith(".")], number
        if digest() != before:
            write(target, old, overwrite=True)
            before = digest()
        number += step
    assert digest() != before
    print(number, news)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are killed by their own forks")
@pytest.mark.parametrize("way", ["exchange", "aside"])
def test_killed_at_any_instant(make_contents, tmp_path, way):
    """Die before each eighth step on the disk: the old bundle or the new stands, and the next run tidies."""
    import pickle

    small = [make_contents(seed, maps=("stat",), inferred=()) for seed in (0, 1)]
    (tmp_path / "contents.pickle").write_bytes(pickle.dumps(small))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(KILLED), str(tmp_path), way, "8"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    steps, news = map(int, done.stdout.split())
    assert steps > 40, done.stdout
    assert news > 0  # some died after the new bundle stood
