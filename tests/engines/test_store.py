"""Chunks on disk: whole or absent, whatever happens to the process, the file or the disk."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from specgl.engines import ChunkStore

CHUNK = {"maxima": np.arange(12.0).reshape(3, 4), "counts-file": np.arange(5, dtype=np.uint16)}


def same(one: dict[str, np.ndarray] | None, other: dict[str, np.ndarray]) -> bool:
    return (
        one is not None
        and list(one) == list(other)
        and all(one[k].dtype == other[k].dtype and one[k].tobytes() == other[k].tobytes() for k in other)
    )


@pytest.fixture
def store(tmp_path: Path) -> ChunkStore:
    return ChunkStore(tmp_path / "chunks")


def test_nothing_is_made_before_the_first_chunk(store: ChunkStore) -> None:
    assert store.get("a-0") is None
    assert not store.folder.exists()


@given(
    data=arrays(st.sampled_from([np.float64, np.uint16, np.int8]), array_shapes(min_dims=0, min_side=0)),
    name=st.text("abcxyz-0", min_size=1),
)
def test_what_is_put_is_got(tmp_path_factory: pytest.TempPathFactory, data: np.ndarray, name: str) -> None:
    store = ChunkStore(tmp_path_factory.getbasetemp() / "one")
    store.put("k", {name: data})
    found = store.get("k")
    assert same(found, {name: data})
    assert found is not None
    assert found[name].shape == data.shape


def test_another_store_of_the_folder_sees_it(store: ChunkStore) -> None:
    store.put("a-0", CHUNK)
    assert [path.name for path in store.folder.iterdir()] == ["a-0.npz"]
    assert same(dict(np.load(store.folder / "a-0.npz")), CHUNK), "it is an ordinary .npz"
    again = ChunkStore(store.folder)
    assert same(again.get("a-0"), CHUNK)


def test_a_damaged_file_is_absent_or_right_whichever_byte_is_damaged(store: ChunkStore) -> None:
    store.put("k", CHUNK)
    path = store.folder / "k.npz"
    good = path.read_bytes()
    absent = 0
    for place in range(0, len(good), 3):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        found = store.get("k")
        absent += found is None
        # A damaged file may lose its names, which the reader of the chunk compares; never its numbers.
        assert found is None or all(same({"_": a}, {"_": CHUNK[n]}) for n, a in found.items() if n in CHUNK)
    assert absent > len(good) // 6
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        assert store.get("k") is None
    path.write_bytes(good)
    assert same(store.get("k"), CHUNK)


def test_nothing_is_unpickled(store: ChunkStore, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    with pytest.raises(ValueError, match="allow_pickle"):
        store.put("k", {"a": np.array([Trap()], dtype=object)})
    assert store.get("k") is None
    np.savez(store.folder / "k.npz", a=np.array([Trap()], dtype=object))
    assert store.get("k") is None
    with zipfile.ZipFile(store.folder / "k.npz", "w") as archive:
        archive.writestr("a.npy", pickle.dumps(Trap()))
    assert store.get("k") is None
    assert not (tmp_path / "sprung").exists()


def test_what_is_compressed_is_not_opened(store: ChunkStore) -> None:
    store.put("other", CHUNK)
    np.savez_compressed(store.folder / "k.npz", a=np.zeros(10**6))
    assert store.get("k") is None


def test_links_are_not_followed(store: ChunkStore, tmp_path: Path) -> None:
    elsewhere = ChunkStore(tmp_path / "elsewhere")
    elsewhere.put("k", CHUNK)
    store.folder.symlink_to(elsewhere.folder)
    assert store.get("k") is None
    store.put("new", CHUNK)
    assert [path.name for path in elsewhere.folder.iterdir()] == ["k.npz"]
    assert [finding.code for finding in store.findings] == ["W420"]


@pytest.mark.parametrize("key", ["", "..", "a/b", ".hidden", "a\0b"])
def test_keys_are_plain_names(store: ChunkStore, key: str) -> None:
    for call in (lambda: store.get(key), lambda: store.put(key, CHUNK)):
        with pytest.raises(ValueError, match="no name"):
            call()


def test_a_disk_that_refuses_is_told_once_and_the_work_goes_on(
    store: ChunkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a", CHUNK)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as here:
        here.setattr(os, "fsync", full)
        store.put("b", CHUNK)
    store.put("c", CHUNK)
    (finding,) = store.findings
    assert (finding.code, "No space left" in finding.message) == ("W420", True)
    assert same(store.get("a"), CHUNK)
    assert store.get("b") is None
    assert [path.name for path in store.folder.iterdir()] == ["a.npz"]


KILLED = """\
import sys
from pathlib import Path
import numpy as np
from specgl.engines import ChunkStore
store = ChunkStore(Path(sys.argv[1]))
for number in range(10_000):
    store.put(f"k-{number}", {"a": np.full(20_000, number, dtype=np.int64)})
    if number == 20:
        print("going", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_killed_while_it_writes_leaves_whole_chunks_only(store: ChunkStore, root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", KILLED, str(store.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        process.send_signal(signal.SIGKILL)
    finished = sorted(store.folder.glob("*.npz"))
    assert len(finished) > 20
    for path in finished:
        found = store.get(path.stem)
        assert found is not None
        assert (found["a"] == int(path.stem.partition("-")[2])).all()
    store.put("next", CHUNK)
    assert [path.name for path in store.folder.iterdir() if path.suffix != ".npz"] == []
