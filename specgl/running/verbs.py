"""The column of verbs: plan, load, fit, infer, write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specgl.bundle import (
    Bundle,
    Contents,
    Failure,
    Place,
    SpecText,
    Status,
    claim,
    open_bundle,
    write_failure,
)
from specgl.bundle import write as write_bundle
from specgl.engines import Engine, Threads, default_threads, read_memory
from specgl.errors import SpecError, SpecglError, UsageError, WriteError
from specgl.inference import infer
from specgl.planning import GroupSource, Plan, errors_located, located, make_plan, output_target
from specgl.running.journey import Journey
from specgl.running.progress import progress_bar
from specgl.running.provide import LabelReader, Means, provisions_of, with_atlas
from specgl.running.resume import forget_chunks
from specgl.running.sources import no_images, statistics_of
from specgl.spec import AnalysisSpec


def run(
    spec: AnalysisSpec | Plan,
    directory: str | Path | None = None,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    engine: Engine | None = None,
    memory: int | str | None = None,
    allow_outside: bool = False,
    progress: bool = False,
    command: tuple[str, ...] = (),
) -> Bundle:
    """Carry out an analysis and write its results bundle.

    Parameters
    ----------
    spec
        What is asked, or a plan already made of it.
    directory
        Folder of the bundle; `output.directory` of the spec by default, or `results/NAME` beside the spec.
    overwrite
        Whether a complete bundle there may be replaced. It stands until the new one is whole.
    threads
        How many threads to use on this machine; all cores by default. No result depends on it.
    engine
        Where shuffles are computed: `specgl.engines.Dask` sends them to a cluster; the threads of this
        machine by default. It is entered before any image is read. No result depends on it.
    memory
        Bound on the memory that shuffles work in, in bytes or as text such as ``"4GB"``; none by default.
        It holds for this machine: workers of a cluster have bounds of their own.
    allow_outside
        Whether files outside the spec's folder may be read.
    progress
        Whether to draw a progress bar, if stderr is a terminal.
    command
        Words of the command line, for the record.

    Returns
    -------
    Bundle
        The complete bundle, as `specgl.open` gives it.

    Raises
    ------
    SpecError, DataError
        As `specgl.plan`; or E303 when `output.directory` leads out of the spec's folder; or E322 when the
        spec names no images.
    UsageError
        The target may not be written to: see `overwrite`. Or E421, E425: engine or memory cannot be used.
    ComputationError
        Fitting, inference or writing failed; or E420, E422, E423: the cluster cannot be used.
    Exception
        Whatever stops a run after planning leaves a bundle with the status ``failed`` or ``interrupted``
        that says where and why, and is raised again. Shuffles that were finished are kept beside the target
        until a complete bundle stands there, and the next run of the same spec on the same data goes on
        from them.
    """
    here = Threads(threads or default_threads())
    means = Means(here, here if engine is None else engine, None if memory is None else read_memory(memory))
    with progress_bar(show=progress) as watcher:
        journey = Journey(watcher, threads=here.n, command=command)
        with journey.enter("plan"):
            plan = (
                spec
                if isinstance(spec, Plan)
                else make_plan(spec, allow_outside=allow_outside, threads=here.n)
            )
        if plan.grid is None:
            raise SpecError(*located((no_images(),), plan.spec))
        journey.add(plan.findings)
        target = Path(directory) if directory is not None else output_target(plan)
        with (
            errors_located(plan.spec),
            claim(target, overwrite=overwrite) as place,
            means.engine,
            _recorded(place, plan, journey),
        ):
            _carry_out(plan, place, means, journey)
            forget_chunks(place.target)
    return open_bundle(target)


def _carry_out(plan: Plan, place: Place, means: Means, journey: Journey) -> None:
    source = statistics_of(plan.source, plan, means.here, journey)
    with journey.enter("infer") as step:
        labels = LabelReader(source.space, journey)
        stats = with_atlas(source.stats, plan, labels)
        provisions = provisions_of(source, plan, place, means, journey, labels, step)
        inferred = infer(stats, source.space, plan.inferences, provisions)
    # What holds for every contrast is said once.
    told = dict.fromkeys(finding for one in inferred for finding in one.findings)
    journey.add(located(tuple(told), plan.spec))
    with journey.enter("write") as step:
        contents = Contents(
            name=plan.spec.name,
            spec=_spec_text(plan),
            run=journey.as_run(),
            stats=source.stats,
            space=source.space,
            extra=source.extra,
            maps=plan.maps,
            inferred=inferred,
            design=source.design,
            rows=source.rows,
            images=source.images,
            inputs=journey.inputs,
            roots=_roots(plan),
            counts=source.counts,
            schemes=source.schemes,
            tree=source.tree,
        )
        write_bundle(place, contents, engine=means.here, progress=step)


@contextmanager
def _recorded(place: Place, plan: Plan, journey: Journey) -> Iterator[None]:
    """Leave a bundle that says where and why a run stopped."""
    try:
        yield
    except KeyboardInterrupt:
        _record(place, plan, journey, Status.INTERRUPTED, journey.interrupted())
        raise
    except SpecglError as error:
        journey.add(error.findings)
        _record(place, plan, journey, Status.FAILED, str(error))
        raise
    except Exception as error:
        _record(place, plan, journey, Status.FAILED, f"{type(error).__name__}: {error}")
        raise


def _record(place: Place, plan: Plan, journey: Journey, status: Status, message: str) -> None:
    failure = Failure(
        name=plan.spec.name,
        status=status,
        stage=journey.stage,
        message=message,
        run=journey.as_run(),
        spec=_spec_text(plan),
        inputs=journey.inputs,
        roots=_roots(plan),
    )
    try:
        write_failure(place, failure)
    except (WriteError, UsageError):
        # The disk that refused the results refuses the record too, or something of the user's stands where
        # the record would go; what stopped the run is told all the same.
        return


def _spec_text(plan: Plan) -> SpecText:
    source = plan.spec.source
    return SpecText(
        resolved=plan.resolved,
        digest=plan.digest,
        folder=plan.spec.folder,
        original=None if source is None else source.given.encode(),
        suffix=".yaml" if source is None or source.path is None else source.path.suffix,
    )


def _roots(plan: Plan) -> dict[str, Path]:
    roots = {"spec": plan.roots.spec}
    if isinstance(plan.source, GroupSource):
        roots["table"] = plan.roots.table
    return roots
