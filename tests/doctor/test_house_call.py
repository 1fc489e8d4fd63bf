"""The house call on folders of several years: solved, untouched, spoiled, hostile, read-only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from student_folders import YEARS, untouched, write

from cs231n_helpers.doctor.house_call import examine, find_root, main
from cs231n_helpers.doctor.house_process import read_source


def found_in(folder, *args):
    return {line.name: line for line in examine(folder, *args)[0]}


def statuses(found):
    return {name: line.answer.status for name, line in found.items()}


SPOILED = [  # what is said of which function after which change
    ("svm_loss_naive", "scale_N", "linear_svm.py", "dW = dW / X.shape[0] +", "dW = dW +"),
    ("svm_loss_vectorized", "correct_class_count", "linear_svm.py", "-active.sum(axis=1)", "-1"),
    ("softmax_loss_naive", "missing_onehot", "softmax.py", "(p[j] - (j == y[i]))", "p[j]"),
    ("softmax_loss_vectorized", "reg_factor_2", "softmax.py", "dW += 2 * reg * W", "dW += reg * W"),
    ("LinearClassifier.train", "go up", "linear_classifier.py", "W -= learning", "W += learning"),
    ("affine_backward", "x: ", "layers.py", "dx = dout.dot(w.T)", "dx = 3 * dout.dot(w.T)"),
    ("relu_backward", "relu_mask_missing", "layers.py", "dout * (cache > 0)", "dout"),
    ("softmax_loss", "scale_N", "layers.py", "return loss, P / len(y)", "return loss, P"),
    ("svm_loss", "correct_class_sign", "layers.py", "dx[rows, y] -= dx", "dx[rows, y] += dx"),
    ("TwoLayerNet.loss", "W1: ", "fc_net.py", "in ('W1', 'W2'):", "in ('W2',):"),
]  # fmt: skip


def test_ten_mistakes_are_each_told_of_their_function_alone(tmp_path, capsys):
    folder = write(tmp_path, "2021", *(spoiled[2:] for spoiled in SPOILED))
    assert main([str(folder), "--html", str(tmp_path / "page.html")]) == 1
    text = capsys.readouterr().out
    said = re.split(r"\n  (?=right|wrong)", text)
    for name, words, file, *_ in SPOILED:
        (of_it,) = [paragraph for paragraph in said if f" {name}  " in paragraph]
        assert of_it.startswith("wrong")
        assert f"{name}  {file}:" in of_it
        assert words in " ".join(of_it.split())
    assert "8 right, 10 wrong, 0 not written yet, 1 not covered." in text
    assert "Next: mend svm_loss_naive in cs231n/classifiers/linear_svm.py:" in text
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count("<b style='color:#c04a00'>wrong</b>") == 10


def test_a_file_with_python_2_prints_is_read(tmp_path):
    file = tmp_path / "old.py"
    file.write_text("for i in range(2):\n    print 'loss %d' % i\n    print i, 2\nprint\n", "utf-8")
    ast.parse(read_source(file))
    assert "print('loss %d' % i)" in read_source(file)


@pytest.mark.parametrize("place", ["", "assignment1", "assignment1/cs231n/classifiers"])
def test_the_folder_is_found_from_around_and_from_inside(tmp_path, place):
    write(tmp_path, "2016")
    (tmp_path / "assignment2" / "cs231n").mkdir(parents=True)
    assert find_root(tmp_path / place) == tmp_path / "assignment1"


@pytest.mark.parametrize("options", [["--only", "svm_lose"], []])
def test_a_folder_without_such_a_function_is_refused(tmp_path, capsys, options):
    folder = write(tmp_path, "2016") if options else tmp_path
    with pytest.raises(SystemExit, match="2"):
        main([str(folder), *options])
    assert "no such function of assignment 1" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "assigment1")])
    assert "assigment1 is no folder: name the one that holds cs231n" in capsys.readouterr().err


@pytest.mark.slow
class TestFolders:
    @pytest.mark.parametrize("year", YEARS)
    def test_solved(self, tmp_path, capsys, year):
        assert main([str(write(tmp_path, year))]) == 0
        text = capsys.readouterr().out
        right, unknown = {"2021": (18, 1), "2025": (21, 1)}.get(year, (13, 0))
        assert f"{right} right, 0 wrong, 0 not written yet, {unknown} not covered." in text
        assert "Note" not in text

    @pytest.mark.parametrize("year", YEARS)
    def test_untouched(self, tmp_path, year):
        found = found_in(untouched(tmp_path, year))
        for is_given in ("batchnorm_forward", "sgd"):
            found.pop(is_given, None)
        assert set(statuses(found).values()) == {"not written yet"}
        assert len(found) >= 13

    @pytest.mark.parametrize("year", YEARS)
    def test_the_other_convention_of_the_penalty_is_right_with_a_note(self, tmp_path, year):
        found = found_in(write(tmp_path, year, other_half=True), "loss")
        assert set(statuses(found).values()) == {"right"}
        noted = [name for name, line in found.items() if "The penalty is" in line.answer.note]
        assert noted == [name for name in found if name not in ("svm_loss", "softmax_loss")]

    def test_what_never_ends_or_ends_python(self, tmp_path):
        folder = write(
            tmp_path, "2017",
            ("softmax.py", "    N = len(X)\n", "    N = len(X)\n    while N: pass\n"),
            ("linear_svm.py", "import numpy as np\n", "import numpy as np\nwhile True: pass\n"),
            ("neural_net.py", "        epoch =", "        import os; os._exit(3)\n        epoch ="),
        )  # fmt: skip
        found = found_in(folder, "", 3)
        wrong = {n: found[n].answer.message for n, s in statuses(found).items() if s == "wrong"}
        assert list(wrong) == [
            "svm_loss_naive", "svm_loss_vectorized", "softmax_loss_vectorized", "TwoLayerNet.train"
        ]  # fmt: skip
        assert "Importing the file does not end within 3 seconds" in wrong["svm_loss_naive"]
        assert "It does not end within 3 seconds" in wrong["softmax_loss_vectorized"]
        assert "ends Python itself" in wrong["TwoLayerNet.train"]

    def test_syntax_errors_are_told_and_the_rest_goes_on(self, tmp_path):
        folder = write(
            tmp_path, "2021",
            ("softmax.py", "    N = len(X)\n", "    N = len(X\n"),
            ("layers.py", "import numpy as np\n", "import numpy as np\nnothing = = 3\n"),
        )  # fmt: skip
        found = found_in(folder)
        assert found["affine_backward"].place == "cs231n/layers.py:6"
        assert found["affine_backward"].answer.message == "Syntax error: invalid syntax."
        assert statuses(found)["softmax_loss_naive"] == "wrong"
        for name in ("svm_loss_naive", "LinearClassifier.train", "TwoLayerNet.loss"):
            assert statuses(found)[name] == "right"
        assert "Judged on right layers" in found["TwoLayerNet.loss"].answer.note

    def test_no_file_is_changed_and_read_only_will_do(self, tmp_path):
        written = "    N = len(X)\n    open('new.txt', 'w').write('x')\n"
        folder = write(
            tmp_path, "2020",
            ("softmax.py", "    N = len(X)\n", written),
            ("linear_svm.py", "import numpy as np\n", "import numpy as np, os\nos.remove('x')\n"),
        )  # fmt: skip
        before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
        command = [sys.executable, "-m", "cs231n_helpers.doctor", str(folder)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        after = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.count("no file is changed") == 2
        assert "10 right, 3 wrong" in done.stdout
        assert after == before

    def test_what_is_missing_is_named_where_it_is_used(self, tmp_path):
        numpy = "import numpy as np\n"
        choice = "try:\n    import cupy as np\nexcept ImportError:\n    import numpy as np\n"
        folder = write(
            tmp_path, "2021",
            ("softmax.py", numpy, f"{numpy}from nowhere import fast\n"),
            ("softmax.py", "    N = len(X)\n", "    N = fast(len(X))\n"),
            ("linear_svm.py", numpy, choice),
        )  # fmt: skip
        found = found_in(folder, "_loss_")
        assert list(statuses(found).values()) == ["right", "right", "right", "not covered"]
        message = "It needs nowhere.fast, which is not there."
        assert found["softmax_loss_vectorized"].answer.message == message

    def test_a_net_is_judged_with_right_layers_when_it_is_asked_for_alone(self, tmp_path):
        spoiled = ("layers.py", "dout * (cache > 0)", "dout")
        found = found_in(write(tmp_path, "2025", spoiled), "net.loss")
        assert statuses(found) == {"TwoLayerNet.loss": "right", "FullyConnectedNet.loss": "right"}
        note = "Judged on right layers, not on your relu_backward."
        assert {line.answer.note for line in found.values()} == {note}

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("import os; os.fork()", "no program started"),
            ("import subprocess; subprocess.run(['ls'])", "no program started"),
            ("input()", "EOFError"),
            ("import sys; sys.exit()", "It raises SystemExit (cs231n/classifiers/softmax.py:"),
            ("big = bytearray(8 * 2**30)", "MemoryError"),
            ("return softmax_loss_vectorized(W, X, y, reg)", "RecursionError"),
            ("print('x' * 10**6, flush=True); return 1 / 0", "ZeroDivisionError"),
        ],
    )
    def test_hostile_code_is_stopped_and_the_rest_goes_on(self, tmp_path, line, said):
        n = "    N = len(X)\n"
        found = found_in(write(tmp_path, "2017", ("softmax.py", n, f"{n}    {line}\n")), "softmax")
        assert list(statuses(found).values()) == ["right", "wrong"]
        assert said in found["softmax_loss_vectorized"].answer.message
