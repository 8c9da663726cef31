"""What the numbers were made with: versions, linear algebra, system, and the commit of the spec."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from specgl.version import __version__

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"refs/[A-Za-z0-9._/-]+")
_MAX_REFS = 16 * 2**20


def describe_environment(spec_folder: Path | None) -> dict[str, Any]:
    """What a reader needs to build the same environment again.

    Parameters
    ----------
    spec_folder
        Folder of the spec; the commit of the repository it lies in is noted, where there is one.

    Returns
    -------
    dict
        `specgl`, `python`, `system`, `machine`, `distributions`, `linear_algebra`, `spec_commit`. There is
        no user, host or path in it.
    """
    return {
        "specgl": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.system(),
        "machine": platform.machine(),
        "distributions": imported_distributions(),
        "linear_algebra": _linear_algebra(),
        "spec_commit": None if spec_folder is None else commit_of(spec_folder),
    }


def imported_distributions() -> dict[str, str]:
    """Version of every distribution that a module has been imported from, by its name."""
    own = sys.stdlib_module_names | set(sys.builtin_module_names)
    names = {name for name in tuple(sys.modules) if "." not in name and name.isidentifier()}
    found = {"specgl": __version__}
    strangers = set()
    for name in sorted(names - own - {"specgl", "__main__"}):
        version = _version(name)
        if version is None:
            strangers.add(name)
        else:
            found[name.replace("_", "-")] = version
    found.update(_by_contents(strangers, set(found)))
    return dict(sorted(found.items(), key=lambda pair: pair[0].lower()))


def commit_of(folder: Path) -> str | None:
    """Commit that is checked out in the git repository around ``folder``; None where there is none.

    The repository is read and git is not run: its settings may name programs, and a spec may come from a
    stranger.
    """
    try:
        place = next((up for up in (folder, *folder.parents) if (up / ".git").exists()), None)
        return None if place is None else _head(place / ".git")
    except (OSError, ValueError):
        return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _by_contents(modules: set[str], known: set[str]) -> Iterator[tuple[str, str]]:
    """Distributions that do not bear the name of their module, such as PyYAML.

    Their files are asked, which is slow, so that the others are left out.
    """
    if not modules:
        return
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name is not None and name not in known and not modules.isdisjoint(_modules(distribution)):
            yield name, distribution.version


def _modules(distribution: metadata.Distribution) -> set[str]:
    listed = distribution.read_text("top_level.txt")
    if listed:
        return set(listed.split())
    record = distribution.read_text("RECORD") or ""
    firsts = (line.partition(",")[0].split("/") for line in record.splitlines())
    return {parts[0].removesuffix(".py") for parts in firsts if parts[-1] == "__init__.py" or len(parts) == 1}


def _linear_algebra() -> list[dict[str, Any]]:
    """Libraries that multiply matrices, without where they lie."""
    told = ("user_api", "internal_api", "version", "num_threads", "threading_layer", "architecture")
    libraries = [{key: info[key] for key in told if key in info} for info in threadpool_info()]
    return sorted(libraries, key=str)


def _head(git: Path) -> str | None:
    if git.is_file():  # a worktree or a submodule
        git = git.parent / git.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
    shared = git / "commondir"
    common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    for _ in range(5):  # a reference may lead to another
        if _COMMIT.fullmatch(head):
            return head
        ref = head.removeprefix("ref:").strip()
        if not _REF.fullmatch(ref) or ".." in ref:
            return None
        head = _resolve(ref, git, common)
    return None


def _resolve(ref: str, git: Path, common: Path) -> str:
    for place in (git, common):
        if (place / ref).is_file():
            return (place / ref).read_text(encoding="utf-8").strip()
    packed = common / "packed-refs"
    if packed.is_file() and packed.stat().st_size <= _MAX_REFS:
        for line in packed.read_text(encoding="utf-8").splitlines():
            commit, _, name = line.partition(" ")
            if name == ref:
                return commit
    return ""
