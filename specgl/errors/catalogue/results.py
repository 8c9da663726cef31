from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.catalogue.computing_codes import COMPUTING
from specgl.errors.catalogue.engine_codes import ENGINES
from specgl.errors.tree import Exit

WRITING: dict[str, Code] = {
    "E410": Code(
        "a complete bundle stands there already",
        "A results bundle is never replaced unless you say so, because it may be the only record of an\n"
        "analysis. Choose another output directory, or pass --overwrite (in Python overwrite=True): the\n"
        "old bundle then stands until the new one is whole. Bundles of failed or interrupted runs hold\n"
        "no results and are replaced without asking.",
        Exit.USAGE,
    ),
    "E411": Code(
        "the bundle cannot be written",
        "The disk refused: it is full, the folder may not be written to, or a quota is reached. A bundle\n"
        "is built beside its target and put in place in one step, so nothing is left half-written and an\n"
        "older bundle at the target stands unchanged. Free some space or choose another output\n"
        "directory, and run the analysis again.",
        Exit.COMPUTATION,
    ),
    "E412": Code(
        "the target is not a results bundle",
        "The output directory is a link, a file, or a folder that holds something other than a results\n"
        "bundle. specgl replaces only what specgl has written, even with --overwrite. Choose another\n"
        "output directory, or remove what stands there yourself. An empty folder may be filled.",
        Exit.USAGE,
    ),
    "E413": Code(
        "another run is writing to the same target",
        "Two runs may not write to one output directory at the same time. Wait until the other has ended\n"
        "or give this one another directory. The claim ends with the process that holds it: after a\n"
        "crash there is nothing to clean up by hand.",
        Exit.USAGE,
    ),
    "E500": Code(
        "there is no such bundle",
        "The path given is not a folder. Give the folder that specgl run has written: the one that holds\n"
        "manifest.json.",
        Exit.VERIFICATION,
    ),
    "E501": Code(
        "the bundle has no manifest",
        "manifest.json is written last, so its presence means that everything else is there. A folder\n"
        "without it is no whole bundle: perhaps it was copied only in part, or it is another folder.\n"
        "Copy it again, or run the analysis again.",
        Exit.VERIFICATION,
    ),
    "E502": Code(
        "the manifest cannot be understood",
        "manifest.json is not JSON, or does not have the form that schemas/bundle-1.schema.json\n"
        "describes. It has been changed or damaged since it was written. Copy the bundle again, or run\n"
        "the analysis again.",
        Exit.VERIFICATION,
    ),
    "E503": Code(
        "the bundle is of another version",
        "The format of bundles has a version number of its own, and this specgl reads another one. Read\n"
        "the bundle with the version of specgl that wrote it (README.md in the bundle names it), or\n"
        "upgrade.",
        Exit.VERIFICATION,
    ),
    "E504": Code(
        "the manifest names a path outside the bundle",
        "Paths in a manifest are relative, with forward slashes, and never climb by '..'. One that does\n"
        "could make a reader open other files of yours. Do not use this bundle unless you know where it\n"
        "comes from.",
        Exit.VERIFICATION,
    ),
    "E505": Code(
        "the bundle holds a link or a special file",
        "A bundle consists of plain files only. A link may lead out of the bundle, or to something that\n"
        "changes later. Replace it by the file itself, or copy the bundle again without making links.",
        Exit.VERIFICATION,
    ),
    "E506": Code(
        "a file is not in the manifest",
        "The bundle holds a file that the run has not written. It may have been added by you or by your\n"
        "system (such as .DS_Store). Move it elsewhere: what lies in a bundle should be what the\n"
        "analysis made.",
        Exit.VERIFICATION,
    ),
    "E507": Code(
        "a file is missing",
        "The manifest names a file that is not there. Perhaps the bundle was copied only in part. Copy\n"
        "it again, or run the analysis again.",
        Exit.VERIFICATION,
    ),
    "E508": Code(
        "a file has another size",
        "The file is shorter or longer than when it was written: it has been changed, or a copy broke\n"
        "off. Copy it again, or run the analysis again.",
        Exit.VERIFICATION,
    ),
    "E509": Code(
        "a file has other bytes",
        "The file's SHA-256 is not that of the manifest, or the file cannot be read as what it was: it has\n"
        "been changed since it was written, by a person, a program or a failing disk. Copy it again, or\n"
        "run the analysis again.",
        Exit.VERIFICATION,
    ),
    "E510": Code(
        "a map holds other data",
        "The digest over the map's voxels and affine is not that of the manifest, its shape is another, or\n"
        "it cannot be read. Unlike a file's bytes, this digest is blind to how a map was compressed: the\n"
        "numbers themselves differ. Copy the bundle again, or run the analysis again.",
        Exit.VERIFICATION,
    ),
    "E511": Code(
        "the bundle records a run that did not end well",
        "The run failed or was interrupted, so that the bundle holds no results; its manifest says in\n"
        "which stage and why. Mend the cause and run again to the same output directory: such a bundle\n"
        "is replaced without --overwrite.",
        Exit.VERIFICATION,
    ),
    "E512": Code(
        "the resolved spec is not the one whose results these are",
        "The identity of an analysis is the SHA-256 of its resolved spec without name, description,\n"
        "metadata and output. What spec/resolved.json gives is not what the manifest says, so one of the\n"
        "two was changed after the run. Run the spec again, or get the bundle again from its source.",
        Exit.VERIFICATION,
    ),
}

RESULTS: dict[str, Code] = {**COMPUTING, **ENGINES, **WRITING}
