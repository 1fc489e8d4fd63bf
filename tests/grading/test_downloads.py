"""A class of 30 varied and 20 hostile students, as Canvas, Moodle, nbgrader and archives bring it.

Each is graded as a human would, whatever the system made of the names; what was left out is said.
"""

from __future__ import annotations

import csv
import html
import io
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from right_solutions import RIGHT
from test_class import ROOT, expected
from wrong_solutions import WRONG

from classroom.grading.exercises import NOTEBOOK, NOTEBOOKS, POINTS
from classroom.release import bundle

pytestmark = pytest.mark.slow(95)
Files = dict[str, bytes]


@dataclass
class HandedIn:
    """Files of a student by name, and what a human would give for them."""

    files: Files
    grades: dict[str, float | None]
    words: tuple[str, ...] = ()  # on the student's page
    anything: frozenset[str] = frozenset()  # exercises that may get any points
    links: dict[str, str] = field(default_factory=dict)  # only folders can hold them


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The students' bundle."""
    folder = tmp_path_factory.mktemp("layouts") / "assignment"
    bundle.write_bundle(folder)
    return folder


class Makers:
    """Writes notebooks and submissions."""

    def __init__(self, released: Path) -> None:
        self._notebooks = {n: (released / f"{n}.ipynb").read_text("utf-8") for n in NOTEBOOKS}

    def notebook(self, name: str, answers: dict[str, str], change: Callable | None = None) -> bytes:
        content = json.loads(self._notebooks[name])
        for cell in content["cells"]:
            exercise = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = answers.get(exercise, cell["source"])
        if change:
            change(content)
        return json.dumps(content).encode()

    def notebooks(self, answers: dict[str, str], names=NOTEBOOKS) -> Files:
        return {f"{name}.ipynb": self.notebook(name, answers) for name in names}

    def honest(self, number: int) -> HandedIn:
        """Return one of 30: right in some style, or with mistakes, or in part."""
        rng = random.Random(number)
        answers = {e: rng.choice([s for x, _, s in RIGHT if x == e]) for e in POINTS}
        grades, words, names = dict(POINTS), [], list(NOTEBOOKS)
        if number % 3 == 1:  # two mistakes
            for exercise in rng.sample(list(POINTS), 2):
                wrong = rng.choice([it for it in WRONG if it.exercise == exercise])
                answers[exercise] = wrong.source
                grades[exercise] = expected(exercise, wrong.lost)[exercise]
                words.append(wrong.message)
        if number % 5 == 2:  # a notebook less
            names.remove(gone := rng.choice(NOTEBOOKS))
            grades |= {e: 0.0 for e in POINTS if NOTEBOOK[e] == gone}
            words = [f"{gone}.ipynb was not handed in", *(words if not gone else [])]
        if number % 5 == 4:  # one exercise as it was handed out
            untouched = rng.choice([e for e in POINTS if grades[e] == POINTS[e]])
            del answers[untouched]
            grades[untouched] = 0.0
            words.append("Not begun")
        return HandedIn(self.notebooks(answers, names), grades, tuple(words))

    def first(self) -> dict[str, str]:
        return {e: source for e, _, source in reversed(RIGHT)}

    def hostile(self) -> dict[str, HandedIn]:
        """Return the 20: two notebooks, all right but for what each of them tries."""
        right, found, names = self.first(), {}, ("01_svm", "10_images")
        whole = self.notebooks(right, names)
        full = {e: most if NOTEBOOK[e] in names else 0.0 for e, most in POINTS.items()}
        of_svm = frozenset(e for e in POINTS if NOTEBOOK[e] == "01_svm")
        lost = full | dict.fromkeys(of_svm)

        def add(name: str, files: Files, grades=full, *words: str, anything=frozenset(), **more):
            found[name] = HandedIn(files, dict(grades), words, anything, **more)

        def svm(content: bytes) -> Files:
            return whole | {"01_svm.ipynb": content}

        def with_cell(source: str, **more: object) -> Files:
            cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], **more}
            return svm(self.notebook("01_svm", right, lambda it: it["cells"].append(cell)))

        add(
            "bomb",
            {"hw.zip": zipped({"01_svm.ipynb": b"[" * (300 << 20)})},
            dict.fromkeys(POINTS),
            "larger than 16 MB",
        )
        add(
            "nested", {"hw.zip": zipped({"in.zip": zipped(whole)})}, dict.fromkeys(POINTS), "in.zip"
        )
        add("outward", {"hw.zip": zipped({f"../../../{k}": v for k, v in whole.items()})})
        add("absolute", {"hw.zip": zipped({f"/etc/{k}": v for k, v in whole.items()})})
        add("truncated", {"hw.zip": zipped(whole)[:-40]}, dict.fromkeys(POINTS), "cannot be read")
        add("brackets", svm(b"[" * (15 << 20)), lost, "nested too deeply")
        add("flat_json", svm(b"[" + b"[]," * (5 << 20) + b"[]]"), lost, "could not be read")
        add("newlines", with_cell("\n" * 99_000 + "("))
        add("parentheses", with_cell("(" * 99_000))
        add("minuses", with_cell("x = " + "-" * 90_000 + "1"))
        add("long_sum", with_cell("x = " + "1+" * 45_000 + "1"))
        add(
            "many_cells",
            svm(
                self.notebook(
                    "01_svm",
                    right,
                    lambda it: it["cells"].extend(
                        {"cell_type": "code", "metadata": {}, "source": "x = [\n" * 1000}
                        for _ in range(90)
                    ),
                )
            ),
            anything=of_svm,
        )
        add(
            "odd_types",
            svm(
                self.notebook(
                    "01_svm",
                    right,
                    lambda it: it["cells"].extend(
                        [
                            None,
                            7,
                            [],
                            {"cell_type": []},
                            {"cell_type": "code", "source": {"a": 1}},
                            {
                                "cell_type": "code",
                                "source": "x = 1",
                                "id": [1],
                                "metadata": {"nbgrader": [2]},
                            },
                            {"cell_type": "code", "source": "x = 1", "id": 2.5, "metadata": None},
                        ]
                    ),
                )
            ),
        )
        add("digits", svm(b'{"cells": ' + b"9" * 5000 + b"}"), lost, "could not be read")
        add("bom", {k: b"\xef\xbb\xbf" + v for k, v in whole.items()})
        add("early", whole | {"timestamp.txt": b"1999-01-01 00:00:00 UTC"})
        add(
            "wants", whole | {"regrade.md": b"<!--" * 900 + b"=cmd|'/C calc'!A0 <script>1</script>"}
        )
        add("dozens", whole | {f"junk/{k}.ipynb": b"{}" for k in range(400)})
        add("=1+1<b>x", whole)
        add(
            "stolen",
            {k: v for k, v in whole.items() if "01" not in k},
            lost,
            "link",
            links={"01_svm.ipynb": "../../secret.ipynb"},
        )
        return found


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


# ---- what students and systems make of names ----


def as_is(files: Files, blank: Files) -> Files:
    return files


def copy_of(files: Files, blank: Files) -> Files:
    return {f"Copy of {name}": content for name, content in files.items()}


def browser(files: Files, blank: Files) -> Files:
    """Handed in again: the first ones are blank."""
    again = {name.replace(".ipynb", " (1).ipynb"): it for name, it in files.items()}
    return {k: v for k, v in blank.items() if k in files} | again


def shouted(files: Files, blank: Files) -> Files:
    return {name.upper(): content for name, content in files.items()}


def renamed(files: Files, blank: Files) -> Files:
    return {f"my homework {k}.ipynb": content for k, content in enumerate(files.values())}


def mac(files: Files, blank: Files) -> Files:
    junk = {f"__MACOSX/hw/._{name}": b"\0\5\x16\7" for name in files}
    checkpoints = {f"hw/.ipynb_checkpoints/{k}": blank[k] for k in files}
    return {"hw.zip": zipped(junk | checkpoints | {f"hw/{k}": v for k, v in files.items()})}


CHANGES = (as_is, copy_of, browser, shouted, renamed, mac)
NAMES = (
    "Anna Lee", "Anna Lee", "José O'Neil", "Maria de la Cruz", "李 小龙", "Zoë van Dyk", "Bo Li",
    "Sam Smith-Jones", "Ada Åström", "X Æ",
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A student of a class."""

    id: str
    name: str
    handed_in: HandedIn
    files: Files

    @property
    def sortable(self) -> str:
        first, last = self.name.split(" ", 1)
        return f"{last}, {first}"


def write_all(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def base(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def canvas(place: Path, members: list[Member], flat: bool) -> Path:
    """A zip of files, as its ContentZipper names them."""
    archive = {}
    for k, member in enumerate(members):
        user = re.sub(r"[^\w]", "", member.sortable.lower())
        late = "_LATE" if k % 2 else ""
        for n, (name, content) in enumerate(member.files.items()):
            archive[f"{user}{late}_{member.id}_{900 + n}_{base(name)}"] = content
    path = place / "submissions.zip"
    path.write_bytes(zipped(archive))
    return path


def moodle(place: Path, members: list[Member], flat: bool) -> Path:
    for member in members:
        start = f"{member.name}_{member.id}_assignsubmission_file_"
        for name, content in member.files.items():
            write_all(place, {f"{start}{base(name)}" if flat else f"{start}/{name}": content})
    return place


def nbgrader(place: Path, members: list[Member], flat: bool) -> Path:
    (place.parent / "nbgrader_config.py").touch()
    for member in members:
        folder = place / member.id / "assignment1"
        own = {f"mine/{k}" if k == "timestamp.txt" else k: v for k, v in member.files.items()}
        write_all(folder, own | {"timestamp.txt": b"2030-01-02 00:00:00 UTC"})
    return place


def plain(place: Path, members: list[Member], flat: bool) -> Path:
    for k, member in enumerate(members):
        zips = any(name.endswith(".zip") for name in member.files)
        if k % 2 and not zips and not member.handed_in.links:
            write_all(place, {f"{member.id}.zip": zipped(member.files)})
        else:
            write_all(place / member.id, member.files)
        for name, target in member.handed_in.links.items():
            os.symlink(target, place / member.id / name)
    return place


HEADS = {
    "canvas": ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "assignment1 (47)"],
    "moodle": ["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade",
               "Feedback comments"],
    "other": ["id", "first_name", "last_name", "email"],
}  # fmt: skip


def roster(kind: str, members: list[Member]) -> str:
    """The class as the system exports it, with one who hands in nothing."""
    lines: list[list[str]] = [HEADS[kind]]
    if kind == "canvas":
        lines += [["    Points Possible", "", "", "", "", "120"]]
        lines += [[it.sortable, it.id, f"S{it.id}", f"l{it.id}", "1", ""] for it in members]
        lines += [
            ["Nobody, Ned", "999", "S999", "l999", "1", ""],
            ["Student, Test", "1"] + [""] * 4,
        ]
    elif kind == "moodle":
        lines += [[f"Participant {it.id}", it.name, f"{it.id}@x.y", "Submitted", "", "120.00", ""]
                  for it in members]  # fmt: skip
        lines += [["Participant 999", "Ned Nobody", "n@x.y", "No submission", "", "120.00", ""]]
    else:
        lines += [[it.id, *it.name.split(" ", 1), f"{it.id}@x.y"] for it in members]
        lines += [["999", "Ned", "Nobody", "n@x.y"]]
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


#: Name, who writes it, flat, the roster's kind, and the hostile students in it.
LAYOUTS = (
    ("canvas", canvas, True, "canvas", ("bomb", "brackets", "early", "newlines", "wants")),
    ("moodle", moodle, False, "moodle", ("nested", "flat_json", "parentheses", "dozens")),
    ("moodle-flat", moodle, True, "moodle", ("outward", "minuses", "bom", "digits")),
    ("nbgrader", nbgrader, False, "other", ("many_cells", "long_sum", "odd_types")),
    ("plain", plain, False, "other", ("stolen", "absolute", "truncated", "=1+1<b>x")),
)


@dataclass(frozen=True)
class Graded:
    members: list[Member]
    console: str
    out: Path
    lines: dict[str, dict[str, str]]  # of grades-lms.csv, by id


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """Grade a layout once."""
    makers = Makers(released)
    blank, hostile = makers.notebooks({}), makers.hostile()

    @cache
    def grade(number: int) -> Graded:
        name, write, flat, kind, tries = LAYOUTS[number]
        place = tmp_path_factory.mktemp(name)
        (place / "in").mkdir()
        (place / "secret.ipynb").write_bytes(blank["01_svm.ipynb"])
        members = []
        for k in range(6):
            it = makers.honest(6 * number + k)
            files = CHANGES[(k + number) % len(CHANGES)](it.files, blank)
            members.append(Member(f"{number + 1}{k}0", NAMES[k], it, files))
        for k, attempt in enumerate(tries):
            it, id_ = hostile[attempt], f"{number + 1}{k}7"
            id_ = attempt if not attempt.isidentifier() else id_
            members.append(Member(id_, f"{attempt} x", it, it.files))
        (place / "roster.csv").write_text(roster(kind, members), "utf-8", newline="")
        source = write(place / "in", members, flat)
        done = subprocess.run(
            [sys.executable, "-m", "classroom.grading", source, "--out", place / "out",
             "--released", released, "--roster", place / "roster.csv", "--lms-exercises",
             "--deadline", "2030-01-01", "--call", "3", "--budget", "60"],
            cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        with (place / "out" / "grades-lms.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        key = {"canvas": "ID", "moodle": "Identifier", "other": "id"}[kind]
        lines = {row[key].removeprefix("Participant "): row for row in rows}
        return Graded(members, done.stdout + done.stderr, place / "out", lines)

    return grade


@pytest.mark.parametrize("number", range(len(LAYOUTS)), ids=[it[0] for it in LAYOUTS])
def test_each_is_graded_as_a_human_would(graded, number):
    found = graded(number)
    wrong = []
    for member in found.members:
        line = found.lines[member.id]
        got = {e: float(line[f"assignment1 {e}"] or "nan") for e in POINTS}
        for exercise, due in member.handed_in.grades.items():
            value = got[exercise]
            good = value != value if due is None else value == pytest.approx(due, abs=0.01)
            if not good and exercise not in member.handed_in.anything:
                wrong.append((member.name, member.id, exercise, due, value))
    assert not wrong


@pytest.mark.parametrize("number", range(len(LAYOUTS)), ids=[it[0] for it in LAYOUTS])
def test_pages_console_and_tables_say_what_they_must(graded, number):
    found = graded(number)
    pages = [html.unescape(it.read_text("utf-8")) for it in found.out.glob("feedback/*.html")]
    assert len(pages) == len(found.members)
    for member in found.members:
        for word in member.handed_in.words:
            assert any(word in page for page in pages), (member.name, word)
        if any("(1)" in name for name in member.files):
            assert " times: " in found.console
        if any("homework" in name for name in member.files):
            assert "whose cells it has" in found.console
    assert "handed in nothing: " in found.console
    assert "is not in roster" not in found.console
    table = (found.out / "grades.csv").read_text("utf-8")
    assert not any("1999-" in text for text in (table, *pages))
    assert not [line for line in table.splitlines() if line.startswith("=")]
    raw = [it.read_text("utf-8") for it in found.out.rglob("*.html")]
    assert not any("<b>x" in page or "<script>1" in page for page in raw)
    for line in found.lines.values():
        if "Nobody" in "".join(line.values()):
            assert {value for key, value in line.items() if "assignment1" in key} == {""}


def test_the_nested_archive_is_named(graded):
    assert "in.zip in it was not opened" in graded(1).console
