"""Every verb: what it prints where, and the exit code it ends with."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

import specgl
from specgl.bundle import Role
from specgl.cli.main import VERBS
from specgl.cli.verbs.new import TEMPLATES
from specgl.errors import CATALOGUE
from specgl.spec import examine

ESCAPE = "\x1b["


# demo


def test_demo_makes_a_study_runs_it_and_says_where_the_results_are(specgl_in, tmp_path) -> None:
    done = specgl_in(tmp_path, "demo", "here", "--threads", 2)
    assert done.code == 0, done.err
    assert "specgl show here/results clusters" in done.out.splitlines()[-1]
    bundle = specgl.open(tmp_path / "here" / "results")
    bundle.verify()
    assert (bundle.results["n_surviving"] > 0).all()
    assert specgl_in(tmp_path, "validate", "--data", "here/analysis.yaml").code == 0
    again = specgl_in(tmp_path, "demo", "here")
    assert (again.code, again.out) == (2, "")
    assert "'here' is not empty" in again.err


# new


@pytest.mark.parametrize("template", TEMPLATES)
def test_new_writes_a_valid_spec_once(specgl_in, tmp_path, template: str) -> None:
    first = specgl_in(tmp_path, "new", template, "mine.yaml")
    assert first.code == 0
    assert "specgl validate mine.yaml" in first.out
    written = (tmp_path / "mine.yaml").read_bytes()
    assert specgl_in(tmp_path, "validate", "--strict", "mine.yaml").code == 0
    second = specgl_in(tmp_path, "new", template, "mine.yaml")
    assert (second.code, second.out) == (2, "")
    assert "'mine.yaml' is there already" in second.err
    assert (tmp_path / "mine.yaml").read_bytes() == written
    (tmp_path / "mine.yaml").write_text("old")
    assert specgl_in(tmp_path, "new", template, "mine.yaml", "--overwrite").code == 0
    assert (tmp_path / "mine.yaml").read_bytes() == written


def test_new_without_a_name_writes_analysis_yaml(specgl_in, tmp_path) -> None:
    assert specgl_in(tmp_path, "new", "vbm").code == 0
    assert examine(tmp_path / "analysis.yaml").spec is not None
    assert specgl_in(tmp_path, "new", "vbm", "no/such/folder/a.yaml").code == 2
    unknown = specgl_in(tmp_path, "new", "vmb")
    assert unknown.code == 2
    assert all(template in unknown.err for template in TEMPLATES)


# validate


def silent(study) -> None:
    """Take out of the study's spec what it is warned of."""
    study.edit("correction: fdr_bh", "correction: fdr_bh, across: contrasts")


def test_validate_says_that_nothing_was_found(specgl_in, study) -> None:
    silent(study)
    done = specgl_in(study.folder, "validate", "analysis.yaml", "analysis.yaml", "--strict")
    assert (done.code, done.out, done.err) == (0, "2 specs checked: nothing found\n", "")


def test_warnings_pass_unless_they_are_to_count(specgl_in, study) -> None:
    lenient = specgl_in(study.folder, "validate", "analysis.yaml")
    strict = specgl_in(study.folder, "validate", "--strict", "analysis.yaml")
    assert (lenient.code, strict.code) == (0, 1)
    assert lenient.out == strict.out
    assert "warning[W202]" in lenient.out


def test_validate_tells_all_findings_of_all_specs_at_their_lines(specgl_in, study) -> None:
    text = study.spec.read_text()
    (study.folder / "two.yaml").write_text(text.replace("unit: year", "units: year").replace("age,", "aeg,"))
    done = specgl_in(study.folder, "validate", "analysis.yaml", "two.yaml")
    assert (done.code, done.err) == (1, "")
    assert "analysis.yaml:17:41: warning[W202]" in done.out
    line = text.splitlines()[8].replace("unit", "units")
    at = line.index("units") + 1
    assert f"two.yaml:9:{at}: error[E010]: unknown key 'units'\n     9 | {line}\n" in done.out
    assert " " * (at - 1) + "^^^^^\n" in done.out
    assert "did you mean 'unit'?" in done.out
    assert "did you mean 'age'?" in done.out


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_validate_for_machines(specgl_in, study, form: str) -> None:
    study.edit("unit: year", "units: year")
    done = specgl_in(study.folder, "validate", "analysis.yaml", "--format", form)
    assert (done.code, done.err) == (1, "")
    if form == "json":
        first = next(found for found in json.loads(done.out) if found["code"] == "E010")
        assert (first["file"], first["line"], first["severity"]) == ("analysis.yaml", 9, "error")
        assert first["help"] == "did you mean 'unit'?"
    elif form == "github":
        assert re.search(r"^::error file=analysis\.yaml,line=9,col=\d+.*title=E010::", done.out, re.MULTILINE)
    else:
        (run,) = json.loads(done.out)["runs"]
        assert {"E010", "W202"} <= {result["ruleId"] for result in run["results"]}


def test_formats_for_machines_are_whole_when_nothing_is_found(specgl_in, study) -> None:
    silent(study)
    assert json.loads(specgl_in(study.folder, "validate", "analysis.yaml", "--format", "json").out) == []
    sarif = json.loads(specgl_in(study.folder, "validate", "analysis.yaml", "--format", "sarif").out)
    assert sarif["runs"][0]["results"] == []
    assert specgl_in(study.folder, "validate", "analysis.yaml", "--format", "github").out == ""


def test_validate_with_data_reads_the_table(specgl_in, study) -> None:
    study.table.write_text(study.table.read_text().replace("sub-07\tpatient", "sub-07\tPatient "))
    assert specgl_in(study.folder, "validate", "analysis.yaml").code == 0
    done = specgl_in(study.folder, "validate", "--data", "analysis.yaml")
    assert done.code == 3
    assert "participants.tsv:8:8: error[E221]" in done.out
    assert "did you mean 'patient'?" in done.out
    study.edit("group + age\n", "group + aeg\n")
    both = specgl_in(study.folder, "validate", "--data", "analysis.yaml")
    assert (both.code, "did you mean 'age'?" in both.out) == (1, True)


def test_a_path_outside_is_refused_unless_it_is_allowed(specgl_in, study) -> None:
    study.edit("table: participants.tsv", "table: ../study/participants.tsv")
    assert specgl_in(study.folder, "validate", "analysis.yaml").code == 1
    assert specgl_in(study.folder, "validate", "--allow-outside", "--data", "analysis.yaml").code == 0


# plan


def test_plan_prints_rows_weights_and_the_maps_that_are_then_written(specgl_in, study) -> None:
    study.image(4).unlink()
    lines = study.table.read_text().replace("sub-02\tcontrol\t34", "sub-02\tcontrol\tn/a")
    study.table.write_text(lines)
    study.edit("  images:", "  missing: {image: drop, covariate: drop}\n  images:")
    study.edit('  any: {hypothesis: [age, "group[patient] - group[control]"]}\n', "")
    study.edit("  clusters: {method: parametric, correction: none, alpha: 0.05, min_cluster_size: 2}\n", "")
    study.edit("  ageSlope: {hypothesis: age, alternative: greater}\n", "")
    done = specgl_in(study.folder, "plan", "analysis.yaml")
    assert done.code == 0, done.err
    assert "8 kept, 2 dropped" in done.out
    assert re.search(r"^  sub-02 \(line 3\): .*age", done.out, re.MULTILINE)
    assert re.search(r"^  sub-04 \(line 5\): .*maps/sub-04\.nii\.gz", done.out, re.MULTILINE)
    assert "control 3, patient 5" in done.out
    assert "8 observations, 3 regressors, rank 3, 5 degrees of freedom" in done.out
    assert (
        "  patientGtControl (t, two-sided): group[patient] - group[control]\n    = +1 group[T.patient]\n"
        in (done.out)
    )
    assert not (study.folder / "results").exists()

    said = re.findall(r"^  (maps/\S+)$", done.out, re.MULTILINE)
    assert specgl_in(study.folder, "run", "analysis.yaml").code == 0
    bundle = specgl.open(study.folder / "results")
    written = {file.path for file in bundle.files if file.role.is_map or file.role is Role.MASK}
    # n and dof are written where they vary, which no header tells.
    assert set(said) - written == {"maps/stat-dof_statmap.nii.gz", "maps/stat-n_statmap.nii.gz"}
    assert written <= set(said)
    assert bundle.observations is not None
    assert bundle.observations.query("status == 'dropped'").index.tolist() == ["sub-02", "sub-04"]


def test_plan_says_what_covariates_of_images_multiply(specgl_in, study) -> None:
    for number in range(1, 11):
        image = study.image(number)
        (image.parent / f"{image.name.removesuffix('.nii.gz')}_gm.nii.gz").write_bytes(image.read_bytes())
    study.edit("mask: mask", '  voxelwise: {gm: "maps/{participant_id}_gm.nii.gz"}\nmask: mask')
    study.edit("group + age", "group * gm + age")
    done = specgl_in(study.folder, "plan", "analysis.yaml")
    lines = done.out.splitlines()
    told = [line.strip() for line in lines if line.endswith("times gm, from its images")]
    assert [line.split("  ")[0] for line in told] == ["gm", "group[T.patient]:gm"]
    assert told[1].endswith("from 0 to 1, mean 0.5, times gm, from its images")


def test_plan_prints_warnings_to_stderr_and_counts_them_when_told(specgl_in, study) -> None:
    lenient = specgl_in(study.folder, "plan", "analysis.yaml")
    assert (lenient.code, "warning[W202]" in lenient.err, "W202" in lenient.out) == (0, True, False)
    assert specgl_in(study.folder, "plan", "--strict", "analysis.yaml").code == 1


# verify, show


@pytest.fixture
def results(study) -> specgl.Bundle:
    return specgl.run(specgl.read(study.spec))


def test_verify_names_each_difference(specgl_in, study, results) -> None:
    whole = specgl_in(study.folder, "verify", "results")
    assert (whole.code, whole.out, whole.err) == (0, "results: complete and unchanged\n", "")
    design = results.path / "model" / "design.tsv"
    text = design.read_text()
    design.write_text(text.replace("1", "2", 1))
    (results.path / "maps" / "mask.nii.gz").unlink()
    (results.path / "notes.txt").write_text("mine")
    spoilt = specgl_in(study.folder, "verify", "results")
    assert (spoilt.code, spoilt.out) == (5, "")
    assert all(name in spoilt.err for name in ("'model/design.tsv'", "'maps/mask.nii.gz'", "'notes.txt'"))
    assert {code for code in CATALOGUE if f"[{code}]" in spoilt.err} == {"E506", "E507", "E509"}
    assert specgl_in(study.folder, "verify", "maps").code == 5


def test_show_prints_what_a_bundle_holds(specgl_in, study, results) -> None:
    def shown(*what: str) -> str:
        done = specgl_in(study.folder, "show", "results", *what)
        assert (done.code, done.err) == (0, "")
        return done.out

    assert shown() == shown("summary") == results.summary() + "\n"
    assert json.loads(shown("spec")) == results.spec
    assert json.loads(shown("manifest")) == results.manifest
    design = shown("design")
    assert all(name in design for name in ("sub-01", "sub-10", "Intercept", "group[T.patient]", "age"))
    clusters = shown("clusters")
    for (contrast, inference), table in results.tables.items():
        assert f"{contrast}, {inference}:" in clusters
        assert len(table) == 0 or f"{table['statistic'].iloc[0]:.4g}" in clusters
    assert specgl_in(study.folder, "show", "results", "everything").code == 2
    assert specgl_in(study.folder, "show", "nowhere").code == 2


# schema, explain


@pytest.mark.parametrize("what", ["spec", "bundle"])
def test_schema_prints_one_that_holds(specgl_in, study, what: str) -> None:
    done = specgl_in(study.folder, "schema", what)
    schema = json.loads(done.out)
    jsonschema.Draft7Validator.check_schema(schema)
    assert specgl_in(study.folder, "schema", what, "-o", "here.json").out == ""
    assert (study.folder / "here.json").read_text() == done.out
    bundle = specgl.run(specgl.read(study.spec))
    jsonschema.validate(bundle.spec if what == "spec" else bundle.manifest, schema)
    assert specgl_in(study.folder, "schema", what, "-o", "no/folder/here.json").code == 2


def test_explain_lists_and_explains(specgl_in, tmp_path) -> None:
    every = specgl_in(tmp_path, "explain").out.splitlines()
    assert [line.split()[0] for line in every] == sorted(CATALOGUE)
    one = specgl_in(tmp_path, "explain", "e240")
    assert one.out.startswith(f"E240: {CATALOGUE['E240'].title}\n")
    unknown = specgl_in(tmp_path, "explain", "E24O")
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no code 'E24O': did you mean" in unknown.err


# The command itself


def test_help_and_version(specgl_in, tmp_path) -> None:
    version = specgl_in(tmp_path, "--version")
    assert (version.code, version.out) == (0, f"specgl, version {specgl.__version__}\n")
    page = specgl_in(tmp_path, "--help")
    assert page.code == 0
    assert all(verb in page.out for verb in VERBS)
    for verb in VERBS:
        of_verb = specgl_in(tmp_path, verb, "-h")
        assert (of_verb.code, of_verb.err) == (0, "")
        assert f"Usage: specgl {verb}" in of_verb.out


def test_a_wrong_verb_and_a_wrong_option(specgl_in, tmp_path) -> None:
    verb = specgl_in(tmp_path, "valdate", "x.yaml")
    assert (verb.code, verb.out) == (2, "")
    assert "did you mean 'validate'?" in verb.err
    assert specgl_in(tmp_path, "xyzzy").code == 2
    assert specgl_in(tmp_path, "validate", "nowhere.yaml").code == 2
    assert specgl_in(tmp_path, "validate").code == 2
    option = specgl_in(tmp_path, "run", "--thread", "2", "x.yaml")
    assert (option.code, "--threads" in option.err) == (2, True)


def test_no_escape_reaches_a_pipe(specgl_in, study) -> None:
    for words in (["--help"], ["validate", "analysis.yaml"], ["plan", "analysis.yaml"]):
        done = specgl_in(study.folder, *words)
        assert ESCAPE not in done.out + done.err


# report


@pytest.mark.report
def test_report_makes_the_page_anew_and_run_may_leave_it_out(specgl_in, study) -> None:
    without = specgl_in(study.folder, "run", "analysis.yaml", "--no-report")
    assert (without.code, "Report:" in without.out) == (0, False)
    assert specgl.open(study.folder / "results").report is None
    made = specgl_in(study.folder, "report", "results")
    assert (made.code, made.out) == (0, "results/report.html\n"), made.err
    bundle = specgl.open(study.folder / "results")
    bundle.verify()
    page = bundle.report
    assert page is not None
    assert "patientGtControl" in page.read_text(encoding="utf-8")
    drawn = specgl_in(study.folder, "report", "results", "--underlay", "mask.nii.gz")
    assert drawn.code == 0
    underlay = specgl.open(study.folder / "results").underlay
    assert underlay is not None
    assert underlay.attrs["source"] == "underlay"
    with_page = specgl_in(study.folder, "run", "analysis.yaml", "--overwrite")
    assert with_page.code == 0
    assert with_page.out.splitlines()[-1].endswith("results/report.html")


def test_report_is_refused_where_there_is_no_whole_bundle(specgl_in, study, results) -> None:
    assert specgl_in(study.folder, "report", "maps").code == 5
    assert specgl_in(study.folder, "report", "nowhere").code == 2
    assert specgl_in(study.folder, "report", "results", "--underlay", "participants.tsv").code == 3
    (results.path / "README.md").write_text("changed")
    refused = specgl_in(study.folder, "report", "results")
    assert (refused.code, "E508" in refused.err) == (5, True)
    assert specgl.open(results.path).report is None
