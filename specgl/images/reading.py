"""One pass over image files: each is read once, prepared, and put where its observation's row is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from threading import Lock

import numpy as np
import numpy.typing as npt

from specgl.engines import Threads
from specgl.errors import Finding, ImageError, raise_errors
from specgl.images.headers import Header, Headers
from specgl.images.masks import InputFile, MaskImage, read_mask
from specgl.images.stores import Target
from specgl.images.stream import VolumeReader
from specgl.images.transforms import Preparation

Progress = Callable[[int, int], None]


class Counter:
    """Tells how many images are done, one call at a time, whatever thread is done with one.

    Parameters
    ----------
    progress
        Called with images done and images in all; None for nobody.
    total
        Images in all.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total = progress, total
        self._lock = Lock()
        self._done = 0

    def tell(self) -> None:
        """Count one image more."""
        if self._progress is None:
            return
        with self._lock:
            self._done += 1
            self._progress(self._done, self._total)


class Reading:
    """One pass over the files of one image an observation.

    Parameters
    ----------
    headers
        Of the images; their order is that of the rows.
    own
        Headers of the observations' own masks; none where those play no part.
    preparation
        What is done to each image.
    target
        What it is put into.
    counter
        Counts images.
    role
        What the files are for.
    """

    def __init__(
        self,
        headers: Headers,
        own: Headers | None,
        preparation: Preparation,
        target: Target,
        counter: Counter,
        role: str = "image",
    ) -> None:
        self._headers, self._own = headers, own
        self._preparation, self._target = preparation, target
        self._counter, self._role = counter, role
        rows: dict[tuple[str, int], list[tuple[int, str]]] = {}
        files: dict[str, Header] = {}
        for row, (who, header) in enumerate(headers.by_name.items()):
            path = str(header.path)
            files[path] = header
            rows.setdefault((path, headers.refs[who].volume or 0), []).append((row, who))
        self._rows, self._files = rows, files

    def run(self, engine: Threads) -> list[InputFile]:
        """Read everything; files of one volume side by side, volumes of a 4-D file side by side."""
        inputs: list[InputFile] = []
        findings: list[Finding] = []
        single = [header for header in self._files.values() if header.n_volumes == 1]
        for outcome in engine.map(self._try_file, single):
            if isinstance(outcome, ImageError):
                findings.extend(outcome.findings)
            else:
                inputs.extend(outcome)
        for header in self._files.values():
            if header.n_volumes > 1:
                try:
                    inputs.extend(self._read_stack(header, engine))
                except ImageError as error:
                    findings.extend(error.findings)
        raise_errors(findings, ImageError)
        return inputs

    def _try_file(self, header: Header) -> list[InputFile] | ImageError:
        try:
            reader = VolumeReader(header)
            inputs: list[InputFile] = []
            for number, stored in reader.volumes(frozenset({0})):
                inputs.extend(self._keep(header, number, stored))
            return [self._input(header, reader), *inputs]
        except ImageError as error:
            return error

    def _read_stack(self, header: Header, engine: Threads) -> list[InputFile]:
        reader = VolumeReader(header)
        wanted = frozenset(number for path, number in self._rows if path == str(header.path))
        volumes = reader.volumes(wanted)
        inputs: list[InputFile] = []
        while batch := list(islice(volumes, engine.n)):
            for read in engine.map(lambda item: self._keep(header, *item), batch):
                inputs.extend(read)
        return [self._input(header, reader), *inputs]

    def _keep(self, header: Header, number: int, stored: npt.NDArray[np.generic]) -> list[InputFile]:
        """Store one volume for every observation that is to have it."""
        inputs = []
        owners = self._rows[str(header.path), number]
        for left, (row, who) in zip(range(len(owners) - 1, -1, -1), owners, strict=True):
            bits = None
            if self._own is not None and who in self._own.by_name:
                mask = MaskImage(self._own.refs[who])
                bits, file = read_mask(mask, self._own.by_name[who], header.grid, "observation mask")
                inputs.append(file)
            values = self._preparation.values(
                stored.copy() if left else stored, header, bits, self._target.index
            )
            self._target.put(row, values)
            self._counter.tell()
        return inputs

    def _input(self, header: Header, reader: VolumeReader) -> InputFile:
        return InputFile(header.path, header.size, reader.sha256, self._role, header.name)
