"""README, environment.yml, pyproject.toml, Makefile, lock file and package say the same thing."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from faults import FAULTS
from freeze import error_texts, golden, signatures
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cs231n_helpers
import hatch_build
from classroom.release.bundle import environment
from cs231n_helpers import __main__ as commands

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
WORKFLOW = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = [getattr(cs231n_helpers, name) for name in cs231n_helpers.__all__]


def requirements(*extras):
    """Return {package: specifier} of pyproject.toml with the named extras."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(r.name): str(r.specifier) for r in map(Requirement, lines)}


def test_environment_and_pyproject_agree():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    conda = [Requirement(entry) for entry in entries if isinstance(entry, str)]
    conda_name = {"matplotlib-base": "matplotlib"}  # the same without Qt
    found = {canonicalize_name(conda_name.get(r.name, r.name)): str(r.specifier) for r in conda}
    assert found.pop("python") == PROJECT["requires-python"]
    assert found.pop("pip") == ""
    assert found == requirements("notebooks", "test")


def handed_to_pip(text):
    entries = yaml.safe_load(text)["dependencies"]
    return [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]


def test_conda_can_install_what_it_hands_to_pip(tmp_path):
    """Conda writes the lines under pip: into a file, and calls pip install -r."""
    assert handed_to_pip(environment()) == []  # the students'
    lines = handed_to_pip((ROOT / "environment.yml").read_text("utf-8"))
    assert lines == ["-e ."]
    file = tmp_path / "requirements.txt"
    file.write_text("\n".join(lines), "utf-8")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "-r", str(file)]
    # Conda has installed all the rest, as is the case here, so that nothing is fetched.
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    done = subprocess.run(command, cwd=ROOT, env=offline, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_the_container_makes_what_the_makefile_makes():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert container["image"].startswith(f"python:{oldest}-")
    command, target = container["postCreateCommand"].split()
    assert command == "make"
    assert f"\n{target}: " in MAKEFILE
    python = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.endswith("/.venv/bin/python")


def test_the_readme_of_an_index():
    text = hatch_build.index_readme(README, "https://example.org/r")
    assert "![" in text
    assert not re.findall(r"\]\((?!https?:)", text)
    alone = hatch_build.index_readme(README, "")
    assert "![" not in alone
    assert not re.findall(r"\]\((?!https?:)", alone)


def test_the_package_lists_what_there_is_to_do(capsys, monkeypatch):
    assert commands.main([]) == 0
    said = capsys.readouterr().out
    for name, (module, _, _) in commands.COMMANDS.items():
        assert f"python -m cs231n_helpers {name} " in said
        assert importlib.util.find_spec(f"cs231n_helpers.{module}")
    assert commands.main(["nothing"]) == 2
    assert "the choices are lessons, exercises, doctor, data" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["x"])
    with pytest.raises(SystemExit):
        commands.main(["lessons", "--help"])
    assert "Your own copy of the lessons" in capsys.readouterr().out


def test_lock_file_satisfies_pyproject():
    locked = {}
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement = Requirement(line)
            versions = [s.version for s in requirement.specifier if s.operator == "=="]
            assert len(versions) == 1, f"{line!r} pins no version"
            locked.setdefault(canonicalize_name(requirement.name), []).append(versions[0])
    for name, specifier in requirements("notebooks", "test", "lint").items():
        assert name in locked, f"{name} is not locked: run make lock"
        for version in locked[name]:
            assert Requirement(name + specifier).specifier.contains(version), (name, version)


def test_oldest_python_is_the_same_everywhere():
    oldest = PROJECT["requires-python"].removeprefix(">=")
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert tools["mypy"]["python_version"] == oldest
    assert f"sys.version_info < ({oldest.replace('.', ', ')})" in MAKEFILE
    assert f"--python-version {oldest}" in MAKEFILE
    assert f"Python {oldest}" in README
    workflow = yaml.safe_load(WORKFLOW)
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"][0] == oldest
    oldest_numpy = requirements()["numpy"].removeprefix(">=")
    assert f'"numpy=={oldest_numpy}.0"' in WORKFLOW


@pytest.mark.skipif(os.name != "posix", reason="a Python that is a script")
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("echo True", "older than Python 3.11, which this project needs: name another, as in make"),
        ("exit 1", "not there, or does not run: name another Python, 3.11 or newer, as in make"),
        ("", "not there, or does not run: name another Python, 3.11 or newer, as in make"),
    ],
)
def test_make_says_what_is_wrong_with_a_python(tmp_path, answer, said):
    python = tmp_path / "python9.9"
    if answer:
        python.write_text(f"#!/bin/sh\n{answer}\n", "utf-8")
        python.chmod(0o755)
    ready = tmp_path / "ready"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-s", f"PYTHON={python}", f"READY={ready}", str(ready)],
        cwd=ROOT, env=ours, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == f"{python} is {said} PYTHON=python3.11\n"
    assert not ready.exists()


def test_make_clean_spares_grades_and_what_was_handed_out(tmp_path):
    kept = ["grades/overrides.csv", "assignment/README.md", "assignment.zip", "reference.zip"]
    for name in (*kept, "site/index.html"):
        (tmp_path / "build" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "build" / name).touch()
    command = ["make", "-s", "-C", tmp_path, "-f", ROOT / "Makefile", "clean"]
    subprocess.run(command, check=True, capture_output=True)
    assert all((tmp_path / "build" / name).exists() for name in kept)
    assert not (tmp_path / "build" / "site").exists()


def test_commands_in_the_texts_exist():
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    for text in (README, CONTRIBUTING):
        named = set(re.findall(r"`make ([a-z-]+)", text))
        assert named <= targets, named - targets
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert phony == targets
    assert "make lab" in README
    assert "make test" in README
    for target in ("lint", "test", "assignment", "test-classroom", "test-torch", "test-browser"):
        assert re.search(rf"\bmake {target}(?![\w-])", (ROOT / ".ci/run").read_text("utf-8"))
        assert re.search(rf"make {target}$|target: .*\b{target}\b", WORKFLOW, re.MULTILINE)
    for extra in ("torch", "browser"):  # large, so installed where they are needed only
        ((name, wanted),) = requirements(extra).items() - requirements().items()
        (version,) = re.findall(rf'"{name}==([\d.]+)"', MAKEFILE)
        assert Requirement(name + wanted).specifier.contains(version)


def test_readme_lists_the_notebooks_and_is_short():
    assert sorted(set(re.findall(r"\d\d_\w+\.ipynb", README))) == NOTEBOOKS
    table = r"(?m:^\|[^\n]*$)"
    prose = re.sub(rf"```.*?```|<[^>]+>|\(https?://[^)]*\)|{table}", " ", README, flags=re.DOTALL)
    assert len(re.findall(r"\w[\w'-]*", prose)) <= 450


@pytest.mark.parametrize(
    "file", ["README.md", "CONTRIBUTING.md", "data/README.md", "notebooks/README.md"]
)
def test_links_lead_somewhere(file):
    path = ROOT / file
    for target in re.findall(r"(?:\]\(|src=\")([^)\"#]+)", path.read_text("utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{file} links to {target}"


def test_package_names_its_modules():
    package = ROOT / "cs231n_helpers"
    modules = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    modules |= {path.parent.name for path in package.glob("*/__init__.py")}
    table = cs231n_helpers.__doc__.split("=\n")[2:]
    named = set(re.findall(r"^(\w+)(?:, (\w+))?  ", "\n".join(table), re.MULTILINE))
    assert {name for pair in named for name in pair if name} == modules


@pytest.fixture(scope="module")
def nodes():
    """The path and each import and call of all that is written in Python."""
    folders = ("cs231n_helpers", "classroom", "tests", "benchmarks", "data")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [
        (path, node) for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Call)
    ]  # fmt: skip


def test_no_module_imports_a_private_name_of_another(nodes):
    for path, node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = {alias.name for alias in node.names} - {"__main__"}
            private = [name for name in names if name.startswith("_")]
            assert not private, f"{path.relative_to(ROOT)} imports {private}"


def test_all_text_files_are_read_and_written_as_utf_8(nodes):
    """In the encoding of a machine, which may be ASCII, half of them could not be."""
    users = {"open", "read_text", "write_text", "run", "Popen", "check_output"}
    for _, node in nodes:
        function = getattr(node, "func", None)
        if getattr(function, "attr", getattr(function, "id", "")) in users:
            call = ast.unparse(node)
            assert "text=True" not in call, call
            if re.match(r"(?!gzip|opened|os|tarfile)[^( ]*\b(open|read_text|write_text)\(", call):
                assert re.search(r"utf-8|'[arwx]\+?b", call), call


def test_error_texts_and_signatures_are_those_that_are_frozen():
    assert error_texts() == golden("errors")
    assert signatures() == golden("signatures")


def test_version_is_in_the_changelog():
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_public_names_are_documented(thing):
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing) and thing.__module__ != "cs231n_helpers.training":
        assert ">>>" in thing.__doc__ or thing.__name__.startswith("load_cifar10")


#: The course's own names and argument orders: whoever swaps an import must be able to go on.
CONTRACT = """
svm_loss_naive(W, X, y, reg=0.0, *, delta=1.0, reg_scale=0.5)
svm_loss_vectorized(W, X, y, reg=0.0, *, delta=1.0, reg_scale=0.5)
softmax_loss_naive(W, X, y, reg=0.0, *, reg_scale=0.5)
softmax_loss_vectorized(W, X, y, reg=0.0, *, reg_scale=0.5)
svm_loss(scores, y, *, delta=1.0)
softmax_loss(scores, y)
svm_input_gradient(W, X, y, *, delta=1.0)
softmax_input_gradient(W, X, y)
eval_numerical_gradient(f, x, verbose=False, h=1e-05)
eval_numerical_gradient_array(f, x, df, h=1e-05)
grad_check_sparse(f, x, analytic_grad, num_checks=10, h=1e-05, *, rng=None)
rel_error(x, y)
check_gradient(loss, params, *args, rng=None, **kwargs)
visualize_grid(Xs, ubound=255.0, padding=1, *, shared=False)
LinearClassifier.loss(self, X, y, reg)
LinearClassifier.predict(self, X)
LinearClassifier.train(self, X, y, learning_rate=0.001, reg=1e-05, num_iters=100, batch_size=200, \
verbose=False, *, rng=None)
TwoLayerNet.loss(self, X, y=None, reg=0.0, *, reg_scale=0.5)
TwoLayerNet.predict(self, X)
TwoLayerNet.train(self, X, y, X_val, y_val, learning_rate=0.001, learning_rate_decay=0.95, \
reg=5e-06, num_iters=100, batch_size=200, verbose=False, *, rng=None)
"""


@pytest.mark.parametrize("line", CONTRACT.strip().splitlines())
def test_public_contract(line):
    name, _ = line.split("(")
    thing = cs231n_helpers
    for part in name.split("."):
        thing = getattr(thing, part)
    parameters = inspect.signature(thing).parameters.values()
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    assert f"{name}{inspect.Signature(bare)}" == line


def test_net_takes_the_course_s_arguments_first():
    parameters = list(inspect.signature(cs231n_helpers.TwoLayerNet).parameters.values())
    assert [p.name for p in parameters[:5]] == [
        "input_size", "hidden_size", "output_size", "std", "rng",
    ]  # fmt: skip
    assert parameters[3].default == 1e-4
    assert parameters[4].kind == inspect.Parameter.KEYWORD_ONLY


def sections_of(notebook):
    cells = json.loads((ROOT / "notebooks" / notebook).read_text("utf-8"))["cells"]
    prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.findall(r"^##+ (.+)$", prose, re.MULTILINE)


def test_the_map_leads_to_every_system_and_mistake():
    rows = re.findall(
        r"^\| ([AM]\d+) \| [^|]+ \| \[\d\d\]\((\S+)\) \| (.+) \|$",
        (ROOT / "notebooks/README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert [i for i, _, _ in rows] == [
        *(f"A{k}" for k in range(1, 14)),
        *(f"M{k}" for k in range(1, 18)),
    ]
    for _, notebook, section in rows:
        assert section in sections_of(notebook)


def test_each_question_of_an_assignment_leads_to_a_section():
    questions = (ROOT / "notebooks/README.md").read_text("utf-8").partition("question\n")[2]
    rows = re.findall(r"^\| [^|]+ \| \[(\d\d)\]\((\S+)\) \| (.+) \|$", questions, re.MULTILINE)
    assert len(rows) == 40
    for number, notebook, section in rows:
        assert notebook.startswith(number)
        assert section in sections_of(notebook)


def test_sections_that_a_lesson_names_by_number_are_there():
    named = [
        (path.name, *found)
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for found in re.findall(r"\]\((\w+\.ipynb)\), section (\d+)", path.read_text("utf-8"))
    ]
    assert len(named) > 10
    for name, notebook, number in named:
        assert any(it.startswith(f"{number}. ") for it in sections_of(notebook)), (name, number)


def test_each_fault_has_its_place(tmp_path):
    for fault in FAULTS:
        source = ROOT / "cs231n_helpers" / f"{fault.module}.py"
        copy = tmp_path / f"{fault.module}.py"
        copy.parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(source, copy)
        fault.put_into(tmp_path)
        assert copy.read_text("utf-8") != source.read_text("utf-8"), fault
