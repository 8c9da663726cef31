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
from specgl.engines import Threads, default_threads
from specgl.errors import SpecError, SpecglError, UsageError, WriteError
from specgl.inference import infer
from specgl.planning import GroupSource, Plan, errors_located, located, make_plan, output_target
from specgl.running.journey import Journey
from specgl.running.progress import progress_bar
from specgl.running.sources import no_images, statistics_of
from specgl.spec import AnalysisSpec


def run(
    spec: AnalysisSpec | Plan,
    directory: str | Path | None = None,
    *,
    overwrite: bool = False,
    threads: int | None = None,
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
        How many threads to use; all cores by default. No result depends on it.
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
        The target may not be written to: see `overwrite`.
    ComputationError
        Fitting, inference or writing failed.
    Exception
        Whatever stops a run after planning leaves a bundle with the status ``failed`` or ``interrupted``
        that says where and why, and is raised again.
    """
    engine = Threads(threads or default_threads())
    with progress_bar(show=progress) as report:
        journey = Journey(report, threads=engine.n, command=command)
        with journey.enter("plan"):
            plan = (
                spec
                if isinstance(spec, Plan)
                else make_plan(spec, allow_outside=allow_outside, threads=engine.n)
            )
        if plan.grid is None:
            raise SpecError(*located((no_images(),), plan.spec))
        journey.add(plan.findings)
        target = Path(directory) if directory is not None else output_target(plan)
        with (
            errors_located(plan.spec),
            claim(target, overwrite=overwrite) as place,
            _recorded(place, plan, journey),
        ):
            _carry_out(plan, place, engine, journey)
    return open_bundle(target)


def _carry_out(plan: Plan, place: Place, engine: Threads, journey: Journey) -> None:
    source = statistics_of(plan.source, plan, engine, journey)
    with journey.enter("infer"):
        inferred = infer(source.stats, source.space, plan.inferences)
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
            inputs=source.inputs,
            roots=_roots(plan),
            counts=source.counts,
        )
        write_bundle(place, contents, engine=engine, progress=step)


@contextmanager
def _recorded(place: Place, plan: Plan, journey: Journey) -> Iterator[None]:
    """Leave a bundle that says where and why a run stopped."""
    try:
        yield
    except KeyboardInterrupt:
        _record(place, plan, journey, Status.INTERRUPTED, "interrupted by the user")
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
