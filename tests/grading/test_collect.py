"""What a class handed in, as folders, archives and the downloads of an LMS; all of it hostile."""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from datetime import datetime

import pytest
from handed_in import CELLS, hand_in, notebook, read_class

from classroom.grading import collect
from classroom.grading.collect import (
    MAX_BYTES,
    digest_of,
    read_submission,
    students_in,
    unpack_class,
)
from classroom.grading.exercises import NOTEBOOKS
from classroom.grading.roster import Roster, collected_times

FIRST = NOTEBOOKS[0]


def one(folder, assignment="assignment1", stamped=""):
    """Read the only student of a class."""
    students, read, _ = read_class(folder, assignment=assignment, stamped=stamped)
    ((name, student),) = students.items()
    return student, read[name]


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings(action="ignore"):
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


ALL = {f"{name}.ipynb": notebook(name) for name in NOTEBOOKS}


class TestFolders:
    @pytest.mark.parametrize("place", [".", "assignment1", "Downloads/homework", "a/b/c/d"])
    def test_notebooks_are_found(self, tmp_path, place):
        hand_in(tmp_path / "anna" / place)
        _, files = one(tmp_path)
        assert tuple(files.notebooks) == NOTEBOOKS
        assert files.notes == []

    @pytest.mark.parametrize("place", ["a/b/c/d/e", ".ipynb_checkpoints", "__MACOSX"])
    def test_not_there(self, tmp_path, place):
        hand_in(tmp_path / "anna" / place)
        _, files = one(tmp_path)
        assert not files.notebooks
        assert f"None of the notebooks was found: they are called {FIRST}" in files.notes[-1]

    @pytest.mark.parametrize(
        "name",
        ["01_svm (1)", "01_svm-Copy1", "Copy of 01_svm", "01_SVM", "01 svm", "01_svm-2",
         "01-svm copy", "Kopie von 01_svm (3)"],
    )  # fmt: skip
    def test_other_names_that_systems_give(self, tmp_path, name):
        hand_in(tmp_path / "anna")
        (tmp_path / "anna" / "01_svm.ipynb").rename(tmp_path / "anna" / f"{name}.ipynb")
        _, files = one(tmp_path)
        assert tuple(files.notebooks) == NOTEBOOKS
        assert files.notes == []

    def test_a_renamed_notebook_is_known_by_its_cells(self, tmp_path):
        hand_in(tmp_path / "anna")
        (tmp_path / "anna" / "01_svm.ipynb").rename(tmp_path / "anna" / "homework.ipynb")
        (tmp_path / "anna" / "scratch.ipynb").write_text('{"cells": [{"id": "mine"}]}', "utf-8")
        _, files = one(tmp_path)
        assert tuple(files.notebooks) == NOTEBOOKS
        assert files.notes == [
            "homework.ipynb was taken for 01_svm.ipynb, whose cells it has.",
            "Not looked at, as neither name nor cells are known: scratch.ipynb.",
        ]

    def test_what_is_missing(self, tmp_path):
        hand_in(tmp_path / "anna", names=NOTEBOOKS[1:])
        assert one(tmp_path)[1].notes == ["Not handed in: 01_svm.ipynb."]

    def test_of_several_the_newest_counts(self, tmp_path):
        hand_in(tmp_path / "anna" / "a", {"penalty": "older = 1"})
        hand_in(tmp_path / "anna" / "assignment1", {"penalty": "collected = 1"})
        _, files = one(tmp_path)
        assert "collected" in files.notebooks["01_svm"].decode()
        assert files.notes[0] == (
            "01_svm.ipynb was handed in 2 times: assignment1/01_svm.ipynb counts, and not "
            "a/01_svm.ipynb."
        )
        again = tmp_path / "anna" / "a" / "01_svm (2).ipynb"
        again.write_text(notebook("01_svm", {"penalty": "newest = 1"}), "utf-8")
        assert "newest" in one(tmp_path)[1].notebooks["01_svm"].decode()
        hand_in(tmp_path / "anna", {"penalty": "uppermost = 1"})
        again.unlink()
        assert "uppermost" in one(tmp_path, "other")[1].notebooks["01_svm"].decode()

    def test_of_two_with_one_name_in_a_zip_the_last_counts(self, tmp_path):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings(action="ignore"):
            for word in ("first", "last"):
                archive.writestr("01_svm.ipynb", notebook("01_svm", {"penalty": f"{word} = 1"}))
        (tmp_path / "anna").mkdir()
        (tmp_path / "anna" / "hw.zip").write_bytes(stream.getvalue())
        _, files = one(tmp_path)
        assert "last = 1" in files.notebooks["01_svm"].decode()
        assert "2 times: the last hw/01_svm.ipynb counts, and not hw/01_svm.ipynb" in files.notes[0]

    def test_archives_that_cannot_be_opened(self, tmp_path):
        locked = bytearray(zipped({"01_svm.ipynb": notebook("01_svm")}))
        for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            locked[locked.index(signature) + flags] |= 1  # says that it is encrypted
        (tmp_path / "anna").mkdir()
        (tmp_path / "anna" / "hw.zip").write_bytes(locked)
        (tmp_path / "anna" / "hw.tar.xz").write_bytes(b"anything")
        assert one(tmp_path)[1].notes[:2] == [
            "hw.tar.xz was not opened: hand in a zip, or the files.",
            "hw.zip cannot be read: it is encrypted; make it without a password.",
        ]

    def test_links_are_not_followed(self, tmp_path):
        secret, place = hand_in(tmp_path / "secret"), tmp_path / "class"
        there = hand_in(place / "anna", names=NOTEBOOKS[1:])
        (there / "01_svm.ipynb").symlink_to(secret / "01_svm.ipynb")
        (there / "folder").symlink_to(secret)
        _, files = one(place)
        assert tuple(files.notebooks) == NOTEBOOKS[1:]
        assert files.notes[0] == (
            "01_svm.ipynb cannot be read: it is a link to another file; hand in the file itself."
        )
        (place / "bob").symlink_to(secret)
        _, read, _ = read_class(place)
        assert not read["bob"].notebooks
        assert "is a link to somewhere else, which is not followed" in read["bob"].notes[0]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
    def test_a_pipe_is_not_waited_for(self, tmp_path):
        (tmp_path / "anna").mkdir()
        os.mkfifo(tmp_path / "anna" / "01_svm.ipynb")
        os.mkfifo(tmp_path / "anna" / "timestamp.txt")
        (tmp_path / "anna" / "02_softmax.ipynb").mkdir()
        _, files = one(tmp_path)
        assert not files.notebooks
        assert "01_svm.ipynb cannot be read: it is no regular file." in files.notes

    def test_limits(self, tmp_path, monkeypatch):
        monkeypatch.setattr(collect, "MAX_ENTRIES", 30)
        hand_in(tmp_path / "anna")
        with (tmp_path / "anna" / "02_softmax.ipynb").open("wb") as file:
            file.truncate(MAX_BYTES[".ipynb"] + 1)
        _, files = one(tmp_path)
        assert "02_softmax.ipynb cannot be read: it is larger than 16 MB; " in files.notes[0]
        assert len(files.notebooks) == len(NOTEBOOKS) - 1
        for i in range(50):
            (tmp_path / "anna" / f"{i}").mkdir()
        assert "more than 30 files and folders" in one(tmp_path)[1].notes[0]

    def test_what_cannot_be_read(self, tmp_path, monkeypatch):
        hand_in(tmp_path / "anna")
        if os.name == "posix" and os.geteuid() != 0:
            (tmp_path / "anna").chmod(0)
        else:  # root reads all
            monkeypatch.setattr(os, "scandir", denied)
        _, files = one(tmp_path)
        (tmp_path / "anna").chmod(0o700)
        assert files.notes[0] == "The folder of this submission cannot be read: Permission denied."
        assert not files.notebooks

    def test_bytes_decide(self, tmp_path):
        digests = {one(hand_in(tmp_path / "anna").parent)[0].digest}
        hand_in(tmp_path / "anna", timestamp="2030-01-01 00:00")
        digests.add(one(tmp_path)[0].digest)
        assert len(digests) == 1  # the penalty is computed from the time in each run
        hand_in(tmp_path / "anna", {"penalty": "x = 1"})
        digests.add(one(tmp_path)[0].digest)
        (tmp_path / "anna" / "04_dx_derivation.ipynb").unlink()
        student = one(tmp_path)[0]
        assert len(digests | {student.digest}) == 3
        assert digest_of(student.files) == student.digest


def denied(path):
    raise PermissionError(13, "Permission denied", str(path))


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2030-01-31 23:59:01.5 UTC", datetime(2030, 1, 31, 23, 59, 1, 500_000)),
            ("2030-01-31 23:59:01 America/Los_Angeles\n", datetime(2030, 2, 1, 7, 59, 1)),
            ("2030-01-31T23:59+0130", datetime(2030, 1, 31, 22, 29)),
            ("2030-01-31 23:59:00 +01:00", datetime(2030, 1, 31, 22, 59)),
            ("2030-01-31 23:59:00", datetime(2030, 1, 31, 23, 59)),
        ],
    )
    def test_timestamp(self, tmp_path, text, expected):
        hand_in(tmp_path / "anna" / "hw", timestamp=text)
        student, files = one(tmp_path, stamped="hw")
        assert student.timestamp == expected
        assert files.notes == []

    @pytest.mark.parametrize(
        "text",
        ["", " ", "yesterday", "2030-13-01 00:00", "2030-01-31 23:59 Mars/City", "\x00", "é",
         "2030-01-31 23:59 ../../../etc/passwd", "2030-01-31 23:59 America", "9" * 5000,
         "0001-01-01 00:00 +14:00"],
    )  # fmt: skip
    def test_no_timestamp(self, tmp_path, text):
        hand_in(tmp_path / "anna" / "hw")
        (tmp_path / "anna" / "hw" / "timestamp.txt").write_text(text, "utf-8")
        student, files = one(tmp_path, stamped="hw")
        assert student.timestamp is None
        assert "counts as in time" in files.notes[0]

    @pytest.mark.parametrize(
        ("stamped", "place"),
        [("", "."), ("", "hw"), ("hw", "."), ("hw", "hw/hw"), ("hw", "other"), ("hw", "HW")],
    )
    def test_what_a_student_can_write_never_counts(self, tmp_path, stamped, place):
        hand_in(tmp_path / "anna" / place, timestamp="2030-01-01 12:00")
        students, _, notes = read_class(tmp_path, stamped=stamped)
        assert students["anna"].timestamp is None
        assert notes == [
            "timestamp.txt of anna does not count, as students can write one: --collected FILE "
            "gives the times, --collected nbgrader says that its collect wrote them."
        ]

    def test_that_of_nbgrader_counts(self, tmp_path):
        """A student can hand in a file of that name, but not above what is handed in."""
        hand_in(tmp_path / "anna" / "hw", timestamp="2030-01-05 12:00")
        hand_in(tmp_path / "anna" / "hw" / "hw", timestamp="2030-01-01 12:00")
        (tmp_path / "anna" / "timestamp.txt").write_text("2029-01-01 12:00", "utf-8")
        students, read, notes = read_class(tmp_path, stamped="hw")
        assert students["anna"].timestamp == datetime(2030, 1, 5, 12)
        assert read["anna"].notes[0] == (
            "3 files timestamp.txt disagree: nbgrader's counts, 2030-01-05 12:00 UTC."
        )
        assert notes == ["hw/timestamp.txt, which nbgrader's collect wrote, has the times."]

    def test_none_in_an_archive_counts(self, tmp_path):
        (tmp_path / "anna.zip").write_bytes(zipped({**ALL, "timestamp.txt": "2030-01-01 12:00"}))
        student, files = one(tmp_path, stamped="anna")
        assert student.timestamp is None
        assert len(files.notebooks) == len(NOTEBOOKS)

    @pytest.mark.parametrize(
        "table",
        [
            "student,time\nanna,2030-01-05 12:00 UTC\n",
            "Identifier,Full name,Grade,Last modified (submission)\n"
            'Participant 7,Anna,,"Saturday, 5 January 2030, 12:00 PM"\nParticipant 8,Bob,,-\n',
        ],
    )
    def test_the_teachers_table_alone_counts(self, tmp_path, table):
        hand_in(tmp_path / "class" / "anna", timestamp="2030-01-01 12:00")
        hand_in(tmp_path / "class" / "bob", timestamp="2030-01-01 12:00")
        (tmp_path / "times.csv").write_text(table, "utf-8")
        students, _, _ = read_class(tmp_path / "class", collected_times(tmp_path / "times.csv"))
        assert students["anna"].timestamp == datetime(2030, 1, 5, 12)
        assert students["bob"].timestamp is None

    @pytest.mark.parametrize(
        ("table", "text"),
        [("student,when\na,b\n", "has no column of times"), ("student,time\na,soon\n", "'soon'"),
         ("a,b\n1,2\n", "no column of identities"), ("", "no column of identities")],
    )  # fmt: skip
    def test_a_table_that_is_none(self, tmp_path, table, text):
        (tmp_path / "t.csv").write_text(table, "utf-8")
        with pytest.raises(ValueError, match=text):
            collected_times(tmp_path / "t.csv")


class TestDownloads:
    """The files of Canvas and Moodle, by their names."""

    def test_canvas(self, tmp_path):
        for name in NOTEBOOKS:
            (tmp_path / f"leeanna_17_901_{name}.ipynb").write_text(notebook(name), "utf-8")
        again = notebook("01_svm", {"penalty": "newest = 1"})
        (tmp_path / "leeanna_17_950_01_svm-1.ipynb").write_text(again, "utf-8")
        (tmp_path / "doebob_LATE_18_902_02_softmax.ipynb").write_text(
            notebook("02_softmax"), "utf-8"
        )
        students, read, notes = read_class(tmp_path)
        assert {name: student.id for name, student in students.items()} == {
            "leeanna": "17", "doebob": "18",
        }  # fmt: skip
        assert "newest" in read["leeanna"].notebooks["01_svm"].decode()
        assert "was handed in 2 times: 01_svm-1.ipynb counts" in read["leeanna"].notes[0]
        assert list(read["doebob"].notebooks) == ["02_softmax"]
        assert read["doebob"].notes[0] == "Canvas marks it as late."
        assert notes == []

    @pytest.mark.parametrize("folders", [True, False])
    def test_moodle(self, tmp_path, folders):
        for name in NOTEBOOKS:
            stem = "Anna Maria Lee_17_assignsubmission_file_"
            path = (
                tmp_path / stem / f"{name}.ipynb" if folders else tmp_path / f"{stem}{name}.ipynb"
            )
            path.parent.mkdir(exist_ok=True)
            path.write_text(notebook(name), "utf-8")
        students, read, _ = read_class(tmp_path)
        assert [(it.name, it.id) for it in students.values()] == [("Anna Maria Lee", "17")]
        assert tuple(read["Anna Maria Lee"].notebooks) == NOTEBOOKS

    @pytest.mark.parametrize(
        "name", ["leeanna_{}_901_", "Anna Lee_{}_assignsubmission_file_", "anon_x{}_901_"]
    )
    def test_two_of_one_name_are_two_students(self, tmp_path, name):
        for number, answer in ((17, "one = 1"), (18, "other = 1")):
            path = tmp_path / f"{name.format(number)}01_svm.ipynb"
            path.write_text(notebook("01_svm", {"penalty": answer}), "utf-8")
        students, read, _ = read_class(tmp_path)
        assert sorted(it.id[-2:] for it in students.values()) == ["17", "18"]
        for shown, files in read.items():
            assert "17" in shown or "18" in shown
            assert ("one" in files.notebooks["01_svm"].decode()) == ("17" in shown)

    @pytest.mark.parametrize(
        "name",
        ["eve_17_901_99_902_01_svm.ipynb", "eve_17_901_zoe_99_902_01_svm.ipynb",
         "eve_17_assignsubmission_file_zoe_99_assignsubmission_file_01_svm.ipynb"],
    )  # fmt: skip
    def test_nobody_hands_in_for_another(self, tmp_path, name):
        (tmp_path / name).write_text(notebook("01_svm"))
        student, files = one(tmp_path)
        assert (student.name, student.id) == ("eve", "17")
        assert files.notebooks

    @pytest.mark.parametrize(
        "name", ["eve_17_901_timestamp.txt", "eve_17_assignsubmission_file_timestamp.txt",
                 "eve_17_assignsubmission_file_/timestamp.txt"],
    )  # fmt: skip
    def test_no_lms_writes_a_timestamp(self, tmp_path, name):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1999-01-01 00:00:00 UTC")
        students, _, notes = read_class(tmp_path, stamped="assignment1")
        assert students["eve"].timestamp is None
        assert notes[0].startswith("timestamp.txt of eve does not count, as students can write")

    def test_an_archive_a_student(self, tmp_path):
        inner = {f"__MACOSX/{name}": b"\0" for name in ALL} | {f"hw/{k}": v for k, v in ALL.items()}
        (tmp_path / "anna.zip").write_bytes(zipped(inner))
        (tmp_path / "bob").mkdir()
        (tmp_path / "bob" / "homework.ZIP").write_bytes(zipped(ALL))
        _, read, notes = read_class(tmp_path)
        for student in ("anna", "bob"):
            assert tuple(read[student].notebooks) == NOTEBOOKS
            assert read[student].notes == []
        assert notes == []

    @pytest.mark.parametrize(
        "content", [b"", b"PK\x03\x04", b"x" * 9999, zipped({}), zipped(ALL)[:-30]]
    )
    def test_an_archive_that_is_none(self, tmp_path, content):
        (tmp_path / "anna.zip").write_bytes(content)
        _, files = one(tmp_path)
        assert not files.notebooks
        assert "None of the notebooks was found" in files.notes[-1]

    def test_an_archive_that_unpacks_to_too_much(self, tmp_path):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("01_svm.ipynb", bytes(MAX_BYTES[".ipynb"] + 1))
        (tmp_path / "anna.zip").write_bytes(stream.getvalue())
        _, files = one(tmp_path)
        assert files.notes[0] == "01_svm.ipynb cannot be read: it is larger than 16 MB."

    def test_what_belongs_to_nobody_is_said(self, tmp_path):
        hand_in(tmp_path / "anna")
        for name in ("notes.txt", ".hidden", "grades.csv"):
            (tmp_path / name).touch()
        assert students_in(tmp_path)[1] == [
            ".hidden is hidden and was left out.",
            "grades.csv belongs to no student and was left out.",
            "notes.txt belongs to no student and was left out.",
        ]

    def test_the_archive_of_a_class(self, tmp_path):
        files = {f"anna/{name}": content for name, content in ALL.items()} | {"anna/big.bin": "x"}
        (tmp_path / "class.zip").write_bytes(zipped(files))
        (tmp_path / "out").mkdir()
        unpack_class(tmp_path / "class.zip", tmp_path / "out")
        _, read, _ = read_class(tmp_path / "out")
        assert tuple(read["anna"].notebooks) == NOTEBOOKS
        assert not (tmp_path / "out" / "anna" / "big.bin").exists()

    def test_one_student_spoils_no_archive_of_a_class(self, tmp_path):
        files = {
            f"eve_1_2_{'long' * 80}.ipynb": notebook("01_svm"),
            "zoe_3_4_01_svm.ipynb": notebook("01_svm"),
            "file.ipynb": "{}", "file.ipynb/below.ipynb": "{}",
            "large_5_6_01_svm.ipynb": " " * (65 << 20),
        }  # fmt: skip
        with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        (tmp_path / "out").mkdir()
        (note,) = unpack_class(tmp_path / "class.zip", tmp_path / "out")
        assert note.startswith("file.ipynb/below.ipynb cannot be unpacked and was left out")
        _, read, _ = read_class(tmp_path / "out")
        assert list(read["eve"].notebooks) == list(read["zoe"].notebooks) == ["01_svm"]
        assert "larger than 16 MB" in read["large"].notes[0]

    @pytest.mark.parametrize("inside", ["anna/{}", "anna.zip", "leeanna_1_2_{}"])
    def test_a_class_in_a_folder_of_its_own(self, tmp_path, inside):
        for name in (inside, inside.replace("anna", "bob")):
            path = tmp_path / "class" / name.format("01_svm.ipynb")
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(zipped(ALL) if name.endswith("zip") else ALL["01_svm.ipynb"].encode())
        students, notes = students_in(tmp_path, unpacked=True)
        assert len(students) == 2
        assert notes == ["The class was taken from the folder class."]

    @pytest.mark.parametrize(
        "name", ["../x.ipynb", "/etc/x.ipynb", "a/../../x.ipynb", "..\\x.ipynb"]
    )
    def test_nothing_leaves_the_folder(self, tmp_path, name):
        (tmp_path / "class.zip").write_bytes(zipped({name: "{}"}))
        (tmp_path / "out").mkdir()
        with pytest.raises(ValueError, match="leads out of it"):
            unpack_class(tmp_path / "class.zip", tmp_path / "out")
        assert [path.name for path in tmp_path.rglob("*")] == ["class.zip", "out"]

    def test_a_class_that_is_too_large_or_no_archive(self, tmp_path, monkeypatch):
        (tmp_path / "class.zip").write_bytes(zipped(ALL))
        monkeypatch.setattr(collect, "LARGEST_CLASS", 10)
        with pytest.raises(ValueError, match="unpacks to more than"):
            unpack_class(tmp_path / "class.zip", tmp_path)
        (tmp_path / "class.zip").write_bytes(b"PK")
        with pytest.raises(ValueError, match="no archive that can be read"):
            unpack_class(tmp_path / "class.zip", tmp_path)


def test_what_is_no_notebook_has_no_known_cells(tmp_path):
    for k, content in enumerate([b"", b"[]", b"[" * 100_000, b'{"cells": [1]}', b'{"cells": 3}']):
        (tmp_path / "anna").mkdir(exist_ok=True)
        (tmp_path / "anna" / f"x{k}.ipynb").write_bytes(content)
    students, _ = students_in(tmp_path)
    assert not read_submission(students[0], "assignment1", CELLS).notebooks


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Assignment 0 (11),assignment1 (12)
    Points Possible,,,,,10.00,120.00
"Lee, Anna",17,s17,anna,A,9.00,
"Doe, Bob",18,s18,bob,A,,
"Student, Test",99,,,A,,
"""
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum grade,Feedback comments
Participant 17,Anna Lee,anna@x.org,Submitted,,120.00,
Participant 18,Bob Doe,bob@x.org,No submission,,120.00,
"""
NBGRADER = "id,first_name,last_name,email\nanna,Anna,Lee,anna@x.org\nbob,Bob,Doe,bob@x.org\n"


@pytest.fixture
def roster(tmp_path):
    def make(text):
        (tmp_path / "roster.csv").write_text(text, "utf-8-sig")
        return Roster.read(tmp_path / "roster.csv")

    return make


class TestRoster:
    @pytest.mark.parametrize(
        ("text", "file"),
        [(CANVAS, "leeanna_17_901_01_svm.ipynb"), (CANVAS, "annalee.zip"), (NBGRADER, "anna.zip"),
         (MOODLE, "Anna Lee_17_assignsubmission_file_01_svm.ipynb"), (NBGRADER, "Anna Lee.zip"),
         (NBGRADER, "ANNA@x.org.zip"), ("student\nanna\nbob\n", "anna.zip")],
    )  # fmt: skip
    def test_whose_line_is_whose(self, tmp_path, roster, text, file):
        (tmp_path / "class").mkdir()
        (tmp_path / "class" / file).touch()
        (tmp_path / "class" / "eve.zip").touch()
        known = roster(text)
        found, without = known.matched(students_in(tmp_path / "class")[0])
        assert [known.name(k).lower()[:8] in ("anna", "anna lee", "lee, ann") for k in found] == [
            True
        ]
        assert [student.name for student in without] == ["eve"]

    def test_the_test_student_is_nobody(self, roster):
        assert [roster(CANVAS).name(k) for k, _ in roster(CANVAS).students()] == [
            "Lee, Anna", "Doe, Bob",
        ]  # fmt: skip

    def test_no_roster(self, roster, tmp_path):
        with pytest.raises(
            ValueError, match=r"its first line, 'id;name', names no column.*with commas"
        ):
            roster("id;name\n1;2\n")
        with pytest.raises(ValueError, match="cannot be read"):
            Roster.read(tmp_path / "missing.csv")


def test_the_cells_here_are_the_notebooks():
    assert all(json.loads(notebook(name))["cells"] for name in NOTEBOOKS)
