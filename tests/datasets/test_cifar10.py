"""CIFAR-10: small files of both layouts; with CS231N_CIFAR10 naming a folder, real files too."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_sets import ARRAYS, STEMS, WRITERS, assert_same, make_batches, write_binary

from cs231n_helpers.datasets import load_cifar10, preprocess
from cs231n_helpers.datasets.cifar10 import CIFAR10_CLASSES

ROOT = Path(__file__).resolve().parent.parent.parent
REAL = os.environ.get("CS231N_CIFAR10")
needs_real = pytest.mark.skipif(not REAL, reason="CS231N_CIFAR10 names no folder of real files")


def test_cifar10_images(cifar):
    root, batches = cifar
    splits = load_cifar10(root, num_val=5, num_test=3)
    pixels = np.concatenate([planes for planes, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    for split, start, stop in (("train", 0, 35), ("val", 35, 40), ("test", 40, 43)):
        X, y = getattr(splits, f"X_{split}"), getattr(splits, f"y_{split}")
        assert X.shape == (stop - start, 32, 32, 3)
        assert (X.dtype, y.dtype) == (np.uint8, np.int64)
        assert X.flags.writeable
        assert y.flags.writeable
        np.testing.assert_array_equal(y, labels[start:stop])
        planes = X.transpose(0, 3, 1, 2).reshape(len(X), -1)
        np.testing.assert_array_equal(planes, pixels[start:stop])
    assert splits.name == "cifar10"
    assert splits.image_shape == (32, 32, 3)
    assert splits.class_names == CIFAR10_CLASSES
    assert splits.class_names[0] == "airplane"
    assert splits.class_names[9] == "truck"


def test_cifar10_parts(cifar):
    root, _ = cifar
    whole = load_cifar10(root, num_val=9, num_test=8)
    part = load_cifar10(root, num_train=10, num_val=9, num_test=1)
    np.testing.assert_array_equal(part.X_train, whole.X_train[:10])
    np.testing.assert_array_equal(part.y_val, whole.y_val)
    np.testing.assert_array_equal(part.X_test, whole.X_test[:1])
    assert len(load_cifar10(root, num_train=31, num_val=9, num_test=8).y_train) == 31
    assert len(load_cifar10(root, num_val=39, num_test=8).y_train) == 1
    for name, limit in (("num_train", 31), ("num_val", 39), ("num_test", 8)):
        options = {"num_val": 9, "num_test": 8} | {name: limit + 1}
        match = f"{name} = {limit + 1}, but there are {limit} images for it"
        with pytest.raises(ValueError, match=match):
            load_cifar10(root, **options)
        with pytest.raises(ValueError, match=f"{name} = 0, but it must be an integer >= 1"):
            load_cifar10(root, **options | {name: 0})


def test_cifar10_default_parts(tmp_path):
    batches = make_batches(1_001)
    write_binary(tmp_path, batches)
    splits = load_cifar10(tmp_path)
    assert [len(getattr(splits, name)) for name in ARRAYS] == [4_005] * 2 + [1_000] * 4
    np.testing.assert_array_equal(splits.y_val, batches[4][1][1:])
    np.testing.assert_array_equal(splits.y_test, batches[5][1][:-1])


@pytest.mark.parametrize("dtype", [np.float32, "float64", np.float16])
def test_cifar10_design_matrices_from_disk_are_those_of_preprocess(cifar, dtype):
    root, _ = cifar
    options = {"num_val": 11, "num_test": 6}
    direct = load_cifar10(root, **options, dtype=dtype)
    assert direct.X_train.shape == (29, 3_073)
    assert direct.X_train.dtype == np.dtype(dtype)
    assert_same(direct, preprocess(load_cifar10(root, **options), dtype=dtype))
    part = load_cifar10(root, **options, num_train=13, dtype=dtype)  # another mean
    assert_same(part, preprocess(load_cifar10(root, **options, num_train=13), dtype=dtype))
    assert not np.array_equal(part.X_val, direct.X_val)


@pytest.mark.parametrize("dtype", [np.uint8, int, complex])
def test_dtype_without_fractions(cifar, dtype):
    with pytest.raises(TypeError, match=r"dtype = .* must be np.float32 or"):
        load_cifar10(cifar[0], num_val=5, num_test=3, dtype=dtype)


def test_cifar10_is_found(cifar, monkeypatch, tmp_path):
    root, _ = cifar
    options = {"num_val": 5, "num_test": 3}
    expected = load_cifar10(root, **options)
    assert_same(load_cifar10(str(root.parent), **options), expected)
    monkeypatch.setenv("CS231N_CACHE", str(root.parent))
    assert_same(load_cifar10(**options), expected)
    monkeypatch.setenv("CS231N_CIFAR10", str(tmp_path / "nowhere"))
    with pytest.raises(
        FileNotFoundError,
        match=r"folder .*nowhere does not exist: .*`python -m cs231n_helpers.datasets.download`",
    ):
        load_cifar10(**options)
    monkeypatch.setenv("CS231N_CIFAR10", str(root))
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path / "nowhere"))
    assert_same(load_cifar10(**options), expected)


def test_a_complete_layout_is_preferred(tmp_path):
    for name, write in WRITERS.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name, make_batches(2))
    expected = load_cifar10(tmp_path, num_val=1, num_test=1)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"")
    assert_same(load_cifar10(tmp_path, num_val=1, num_test=1), expected)
    (tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin").unlink()
    with pytest.raises(ValueError, match="test_batch is refused"):
        load_cifar10(tmp_path, num_val=1, num_test=1)


def test_wrong_folders(tmp_path, fashion):
    def refused(match, folder=tmp_path / "here"):
        with pytest.raises(FileNotFoundError, match=match) as caught:
            load_cifar10(folder)
        assert "`python -m cs231n_helpers.datasets.download`" in str(caught.value)
        assert str(folder) in str(caught.value)
        return str(caught.value)

    folder = tmp_path / "here"
    refused(r"folder \S*here does not exist: name a folder that holds cifar-10-batches-bin or ")
    folder.mkdir()
    refused(r"no CIFAR-10 files in \S+ \(found: nothing\): name a folder that holds")
    (folder / "cifar-10-python.tar.gz").touch()
    refused(r"\(found: cifar-10-python.tar.gz; extract the archive first\)")
    refused(r"tar.gz is a file \(if an archive, extract it\): ", folder / "cifar-10-python.tar.gz")
    (folder / "cifar-10-python.tar.gz").unlink()
    for name in "abcdefgh":
        (folder / name).touch()
    refused(r"\(found: a, b, c, d, e, f, g, h\)")
    (folder / "i").touch()
    refused(r"\(found: a, b, c, d, e, f, g, h, \.\.\.\)")
    for name in ("train", "train.bin", "cifar-100-python"):
        (folder / name).touch()
        refused(r"\.\.\.; that looks like CIFAR-100, another data set\)")
        (folder / name).unlink()
    assert "CIFAR-100" not in refused("train-images-idx3-ubyte.gz", fashion[0])


def test_missing_files(cifar):
    root, _ = cifar
    for stem in ("data_batch_2", "test_batch"):
        next(root.glob(f"{stem}*")).unlink()
    with pytest.raises(FileNotFoundError, match=r"-\w+ lacks data_batch_2\S*, test_batch\S*: g"):
        load_cifar10(root)
    (root / "data_batch_1").unlink(missing_ok=True)
    for path in root.iterdir():
        path.unlink()
    (root / "test_batch.bin").mkdir()  # no file
    with pytest.raises(FileNotFoundError, match="no CIFAR-10 files in"):
        load_cifar10(root)


RECORD = 3_073


def refused(root, match):
    with pytest.raises(ValueError, match=match) as caught:
        load_cifar10(root, num_train=1, num_val=5, num_test=3)
    assert "`python -m cs231n_helpers.datasets.download`" in str(caught.value)


LARGEST = 10_000 * RECORD
BAD_SIZES = [0, RECORD - 1, 8 * RECORD - 1, 8 * RECORD + 1, LARGEST + 1, LARGEST + RECORD]


@pytest.mark.parametrize("size", BAD_SIZES)
def test_binary_files_of_a_wrong_size(tmp_path, size):
    write_binary(tmp_path, make_batches(8))
    os.truncate(tmp_path / "data_batch_2.bin", size)
    refused(tmp_path, rf"data_batch_2.bin has {size:,} bytes, not 1 to 10,000 times 3,073")


def test_largest_binary_file_is_read_to_its_end(tmp_path):
    write_binary(tmp_path, make_batches(8))
    os.truncate(tmp_path / "data_batch_2.bin", LARGEST)
    refused(tmp_path, r"_2.bin holds 10000 images and data_batch_1.bin 8, not")


def test_files_of_unequal_length(cifar, tmp_path):
    root, batches = cifar
    batches[5] = (batches[5][0][:7], batches[5][1][:7])
    WRITERS[root.name](root, batches)
    refused(root, r"test_batch\S* holds 7 images and data_batch_1\S* 8, not equally many")


def test_label_that_is_no_class(cifar):
    root, batches = cifar
    batches[3][1][6] = 10
    WRITERS[root.name](root, batches)
    refused(root, r"data_batch_4\S*: record 6 has label 10, but labels are 0 to 9")


def test_file_given_twice(tmp_path):
    batches = make_batches(8)
    batches[1][0][0] = batches[0][0][0]  # one image in common is none of our business
    write_binary(tmp_path, batches)
    load_cifar10(tmp_path, num_val=5, num_test=3)
    shutil.copy(tmp_path / "data_batch_3.bin", tmp_path / "data_batch_5.bin")
    refused(tmp_path, r"data_batch_5.bin is a copy of data_batch_3.bin: get")


def test_swapped_test_file(tmp_path):
    """The official test file has exactly 1,000 images of each class, the others have not."""
    rng = np.random.default_rng(1)
    for stem in STEMS:
        records = np.zeros((10_000, RECORD), np.uint8)
        records[:, 0] = np.repeat(np.arange(10), 1_000)
        if stem != "test_batch":
            records[0, 0] = 1
        records[0, 1:] = rng.integers(0, 256, 3_072)
        (tmp_path / f"{stem}.bin").write_bytes(records.tobytes())
    assert load_cifar10(tmp_path, num_train=1).y_test.tolist() == [0] * 1_000
    (tmp_path / "test_batch.bin").rename(tmp_path / "x")
    (tmp_path / "data_batch_4.bin").rename(tmp_path / "test_batch.bin")
    (tmp_path / "x").rename(tmp_path / "data_batch_4.bin")
    refused(tmp_path, r"test_batch.bin looks swapped with data_batch_4.bin: .* each class; rename")


def test_nothing_leaks_into_the_mean_on_the_way_from_disk(cifar):
    root, batches = cifar
    options = {"num_val": 8, "num_test": 8, "dtype": np.float64}
    before = load_cifar10(root, **options)
    for k in (4, 5):  # the files of the validation and test images
        batches[k] = (255 - batches[k][0], batches[k][1])
    WRITERS[root.name](root, batches)
    after = load_cifar10(root, **options)
    np.testing.assert_array_equal(after.X_train, before.X_train)
    assert not np.array_equal(after.X_val, before.X_val)
    assert not np.array_equal(after.X_test, before.X_test)


# Real files


@needs_real
def test_real_cifar10():
    splits = load_cifar10(REAL)
    n = len(splits.y_train) + 1_000
    assert n % 5 == 0
    assert splits.X_train.shape == (n - 1_000, 32, 32, 3)
    assert splits.X_val.shape == splits.X_test.shape == (1_000, 32, 32, 3)
    counts = np.bincount(splits.y_train, minlength=10) / len(splits.y_train)
    assert abs(counts - 0.1).max() < 0.02
    flat, y = splits.X_train[:4_000].astype(np.float32), splits.y_train[:4_000]
    along = np.abs(np.diff(flat, axis=2)).mean()  # a picture is smooth along its rows
    assert along < 0.3 * np.abs(flat - flat[::-1]).mean()
    ship, frog = CIFAR10_CLASSES.index("ship"), CIFAR10_CLASSES.index("frog")
    red, _, blue = flat[y == ship].mean(axis=(0, 1, 2))
    assert blue > red  # sea and sky
    red, _, blue = flat[y == frog].mean(axis=(0, 1, 2))
    assert red > blue  # earth


@needs_real
def test_real_layouts_agree():
    places = [Path(REAL), *(Path(REAL).parent / name for name in WRITERS)]
    places += [Path(REAL) / name for name in WRITERS]
    binary = next((place for place in places if (place / "test_batch.bin").is_file()), None)
    python = next((place for place in places if (place / "test_batch").is_file()), None)
    if not binary or not python:
        pytest.skip("only one layout is there")
    assert_same(load_cifar10(binary), load_cifar10(python))


@needs_real
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_real_cifar10_fits_in_memory():
    """Peak of a fresh process below 800 MB, of which the matrix is 602 MB; same as the long way."""
    program = """if True:
        import pathlib, re, resource, sys
        import numpy as np
        from cs231n_helpers import load_cifar10

        splits = load_cifar10(sys.argv[1], dtype=np.float32)
        status = pathlib.Path("/proc/self/status")
        if status.exists():  # on Linux, ru_maxrss starts with that of the parent process
            peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text("utf-8"))[1])
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
        print(peak, len(splits.y_train))
    """
    run = subprocess.run(
        [sys.executable, "-c", program, REAL],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
    )
    peak, n = map(int, run.stdout.split())
    assert peak < 800_000_000, f"{peak / 1e6:.0f} MB for {n} images"
    part = load_cifar10(REAL, num_train=min(n, 5_000))
    direct = load_cifar10(REAL, num_train=min(n, 5_000), dtype=np.float32)
    assert_same(direct, preprocess(part))
