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
from specgl.running.gathering import quality_contents, read_underlay
from specgl.running.journey import Journey
from specgl.running.pages import render_into
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
    report: bool = True,
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
    report
        Whether to make the report. One that cannot be made takes no result down: it is told, and
        `specgl.report` tries again.
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
        ):
            with _recorded(place, plan, journey, report=report):
                _carry_out(plan, place, means, journey)
                forget_chunks(place.target)
            if report:
                _show(place, journey)
    return open_bundle(target)


def _carry_out(plan: Plan, place: Place, means: Means, journey: Journey) -> None:
    source = statistics_of(plan.source, plan, means.here, journey)
    with journey.enter("infer") as step:
        labels = LabelReader(source.space, journey)
        underlay = read_underlay(plan, journey)  # before the long part, so that a fault of it is told early
        atlas = None if plan.atlas is None else labels.regions(plan.atlas)
        stats = with_atlas(source.stats, atlas)
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
            clusters=None if source.observed is None else source.observed.clusters,
            rows=source.rows,
            images=source.images,
            variances=source.variances,
            inputs=journey.inputs,
            roots=_roots(plan),
            counts=source.counts,
            schemes=source.schemes,
            tree=source.tree,
            quality=None
            if source.observed is None
            else quality_contents(source.observed, source.space, inferred),
            underlay=underlay,
            atlas=atlas,
        )
        write_bundle(place, contents, engine=means.here, progress=step)


def _show(target: Place | Path, journey: Journey) -> None:
    """Make the report of what stands; whatever hinders that, the results stand."""
    with journey.enter("report"):
        try:
            render_into(target)
        except Exception as error:  # a fault of a picture is no reason to lose an analysis
            told = str(error) if isinstance(error, SpecglError) else f"{type(error).__name__}: {error}"
            journey.warn(
                f"the results stand, but their report could not be made: {told}\n"
                "    help: `specgl report` on the bundle tries again"
            )


@contextmanager
def _recorded(place: Place, plan: Plan, journey: Journey, *, report: bool) -> Iterator[None]:
    """Leave a bundle that says where and why a run stopped, and its page."""
    stopped: Path | None = None
    try:
        yield
    except KeyboardInterrupt:
        stopped = _record(place, plan, journey, Status.INTERRUPTED, journey.interrupted())
        raise
    except SpecglError as error:
        journey.add(error.findings)
        stopped = _record(place, plan, journey, Status.FAILED, str(error))
        raise
    except Exception as error:
        stopped = _record(place, plan, journey, Status.FAILED, f"{type(error).__name__}: {error}")
        raise
    finally:
        if report and stopped is not None:
            _show(place if stopped == place.target else stopped, journey)


def _record(place: Place, plan: Plan, journey: Journey, status: Status, message: str) -> Path | None:
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
        return write_failure(place, failure)
    except (WriteError, UsageError):
        # The disk that refused the results refuses the record too, or something of the user's stands where
        # the record would go; what stopped the run is told all the same.
        return None


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
