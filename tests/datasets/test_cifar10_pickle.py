"""CIFAR-10's pickled files: what is in them, and what must not be."""

import contextlib
import os
import pickle
import struct
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_sets import STEMS, integer, make_batches, pickled_array, pickled_batch, text

from cs231n_helpers.datasets import load_cifar10


def test_what_is_written_here_is_a_pickle(pickled):
    root, batches = pickled
    batch = pickle.loads((root / "data_batch_2").read_bytes(), encoding="latin1")
    np.testing.assert_array_equal(batch["data"], batches[1][0])
    assert batch["labels"] == batches[1][1].tolist()
    assert batch["batch_label"] == "training batch 2 of 5"


def test_pickled_file_given_twice(pickled):
    root, batches = pickled
    for stem in STEMS[:2]:
        (root / stem).write_bytes(pickled_batch(*batches[0], "of mine"))
    with pytest.raises(ValueError, match=r"data_batch_2 is a copy of data_batch_1: get"):
        load_cifar10(root, num_val=2, num_test=2)


def refused(root, content, match, stem="data_batch_1"):
    (root / stem).write_bytes(content)
    with pytest.raises(ValueError, match=match) as caught:
        load_cifar10(root, num_val=2, num_test=2)
    message = str(caught.value)
    assert str(root / stem) in message
    assert "`python -m cs231n_helpers.datasets.download`" in message
    assert len(message) < 800
    return message


@pytest.mark.parametrize(
    ("label", "stem"),
    {
        "data_batch_1": "data_batch_1",
        "training batch 3 of 5": "data_batch_3",
        "test_batch": "test_batch",
        "testing batch 1 of 1": "test_batch",
        "training batch 11 of 50": None,
        "my own pictures": ...,
        "": ...,
    }.items(),
)
def test_batch_label_must_not_contradict(pickled, label, stem):
    root, batches = pickled
    for name, batch in zip(STEMS, batches, strict=True):
        content = pickled_batch(*batch, label)
        if stem in (name, ...):
            (root / name).write_bytes(content)
            load_cifar10(root, num_val=2, num_test=2)
        else:
            match = f"{name} is refused, .* batch_label is '{label}', so it is not {name}"
            refused(root, content, match, name)
        (root / name).write_bytes(pickled_batch(*batch, "", batch_label=b"", filenames=b""))
    load_cifar10(root, num_val=2, num_test=2)


PIXELS, LABELS = make_batches(4, seed=3)[0]
ARRAY = pickled_array(PIXELS)
BAD_ARRAYS = {
    "dtype": pickled_array(PIXELS, code=b"i1"),
    "objects": pickled_array(PIXELS, code=b"O8"),
    "Fortran": pickled_array(PIXELS, order=b"K\x01"),
    "narrow": pickled_array(PIXELS[:, 1:]),
    "1-D": pickled_array(PIXELS[0], shape=b"M\x00\x0c\x85"),
    "nested shape": pickled_array(PIXELS, shape=b"]]\x86"),
    "fewer bytes": pickled_array(PIXELS, shape=integer(5) + integer(3072) + b"\x86"),
    "no images": pickled_array(PIXELS[:0]),
    "too many": pickled_array(np.zeros((10_001, 3_072), np.uint8)),
    "made by dtype": ARRAY.replace(b"numpy.core.multiarray\n_reconstruct", b"numpy\ndtype"),
    "made without dtype": ARRAY.replace(b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct"),
    "list for bytes": ARRAY.partition(b"T\x00\x30")[0] + b"](" + b"K\7" * 3072 + b"etb",
    "number": b"K\x01",
}
BAD_BATCHES = {
    "another module": ({"data": pickled_array(PIXELS, name=b"numpy")}, "asks for numpy._reconst"),
    "no data": ({"data": b""}, r"are \['batch_label', 'filenames', 'labels'\], expected data"),
    "no labels": ({"labels": b""}, r"found are \['batch_label', 'data', 'filenames'\], expected"),
    "more": ({"extra": b"K\x01"}, r"\['batch_label', 'data', 'extra', 'filenames', 'labels'\]"),
    "floats": ({"labels": b"](" + b"G" + bytes(8) + b"e"}, "opcode BINFLOAT, which a batch has 0"),
    "strings": ({"labels": b"](" + text(b"1") * 4 + b"e"}, "labels must be a list of whole"),
    "booleans": ({"labels": b"](" + b"\x89" * 4 + b"e"}, "labels must be a list of whole"),
    "tuple": ({"labels": b"(K\x01K\x02K\x03K\x04t"}, "labels must be a list of whole"),
    "too few": ({"labels": b"](K\x01K\x02K\x03e"}, "it has 3 labels for 4 images"),
} | {
    f"array, {kind}": ({"data": array}, r"data must be a uint8 array \(n, 3072\) in C order, 1")
    for kind, array in BAD_ARRAYS.items()
}


@pytest.mark.parametrize(("changes", "match"), BAD_BATCHES.values(), ids=BAD_BATCHES)
def test_bad_batches(pickled, changes, match):
    refused(pickled[0], pickled_batch(PIXELS, LABELS, "mine", **changes), match)


def test_negative_label(pickled):
    labels = b"](K\x01K\x02J\xff\xff\xff\xffK\x04e"
    content = pickled_batch(PIXELS, LABELS, "mine", labels=labels)
    refused(pickled[0], content, r"data_batch_1: record 2 has label -1, but labels are 0 to 9")


def test_array_of_a_later_numpy(pickled):
    root, batches = pickled
    array = pickled_array(batches[0][0], name=b"numpy._core.multiarray")
    (root / "data_batch_1").write_bytes(pickled_batch(*batches[0], "mine", data=array))
    load_cifar10(root, num_val=2, num_test=2)


def test_oversized_pickle_is_not_read(pickled):
    root, _ = pickled
    os.truncate(root / "data_batch_1", 32_000_001)
    match = "data_batch_1 has 32,000,001 bytes, but a batch has about 31,000,000: get"
    with pytest.raises(ValueError, match=match):
        load_cifar10(root, num_val=2, num_test=2)
    os.truncate(root / "data_batch_1", 32_000_000)
    with pytest.raises(ValueError, match=r"goes on after its end at byte"):
        load_cifar10(root, num_val=2, num_test=2)


COMMAND = text(b"touch was_run")
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
HOSTILE = {  # the messages that are left open are Python's own
    "GLOBAL": (b"cos\nsystem\n" + COMMAND + b"\x85R.", "it asks for os.system"),
    "GLOBAL of builtins": (b"cbuiltins\neval\n" + COMMAND + b"\x85R.", "asks for builtins.eval"),
    "GLOBAL in a batch": (b"}(U\x04datacos\nsystem\n" + COMMAND + b"\x85Ru.", "asks for os.sys"),
    "GLOBAL of numpy": (b"cnumpy\nload\n" + COMMAND + b"\x85R.", "asks for numpy.load"),
    "GLOBAL that runs on": (b"cnumpy dtype\n\nK\x01\x85R.", ""),
    "GLOBAL cut short": (b"cos\nsystem", ""),
    "GLOBAL, long": (b"c" + b"x" * 99_999 + b"\ny\n.", "at byte 203 is opcode 0x78"),
    "GLOBAL, giant": (b"c" + b"x" * 31_000_000 + b"\n\n.", "at byte 203 is opcode 0x78"),
    "STACK_GLOBAL": (b"U\x02osU\x06system\x93" + COMMAND + b"\x85R.", "14 is opcode STACK_GLOBAL"),
    "INST": (b"(" + COMMAND + b"ios\nsystem\n.", "byte 18 is opcode INST"),
    "OBJ": (b"(cnumpy\nndarray\n" + COMMAND + b"o.", "is opcode OBJ"),
    "OBJ of another": (b"(cos\nsystem\n" + COMMAND + b"o.", "is opcode OBJ"),
    "NEWOBJ": (b"cnumpy\nndarray\n)\x81.", "is opcode EMPTY_TUPLE"),
    "NEWOBJ, not empty": (b"cnumpy\nndarray\nK\x01\x85\x81.", "is opcode NEWOBJ"),
    "NEWOBJ_EX": (b"cnumpy\nndarray\nK\x01\x85}\x92.", "is opcode NEWOBJ_EX"),
    "EXT1": (b"\x82\x01.", "at byte 2 is opcode EXT1, which a batch has 0 times at most"),
    "EXT2": (b"\x83\x01\x01.", "is opcode EXT2"),
    "EXT4": (b"\x84\x01\x01\x01\x01.", "is opcode EXT4"),
    "PERSID": (b"Pwas_run\n.", "is opcode PERSID"),
    "BINPERSID": (COMMAND + b"Q.", "is opcode BINPERSID"),
    "BUFFER": (b"\x97.", "is opcode NEXT_BUFFER"),
    "BYTEARRAY8, giant": (b"\x96" + struct.pack("<Q", 2**40) + b".", "is opcode BYTEARRAY8"),
    "no opcode": (b"\xff.", "at byte 2 is opcode 0xff"),
    "BUILD of a global": (b"cnumpy\nndarray\n}(U\x0c__setstate__" + COMMAND + b"ub.", "setstate"),
    "BUILD of a dict": (b"}}b.", "'dict'"),
    "BUILD of nothing": (b"}b.", ""),
    "REDUCE of a string": (COMMAND + b"K\x01\x85R.", "not callable"),
    "REDUCE of ndarray": (b"cnumpy\nndarray\nK\x01\x85R.", "it holds a _Array, not a dict"),
    "REDUCE of a result": (RECONSTRUCT + b"K\x01\x85RK\x01\x85R.", "not callable"),
    "REDUCE without arguments": (RECONSTRUCT + b"R.", ""),
    "memo index": (b"}r\xff\xff\xff\x7f.", "at byte 3 is memo index 2147483647, which"),
    "memo of nothing": (b"q\x00.", ""),
    "memo that is not there": (b"h\x07.", "7"),
    "memo that is not there, long": (b"j\x07\x01\x00\x00.", "263"),
    "length": (b"T\xff\xff\xff\x7f.", "ends before its last opcode"),
    "negative length": (b"T\xff\xff\xff\xff.", ""),
    "short length": (b"U\xff.", "ends before its last opcode"),
    "giant string": (b"T" + struct.pack("<i", 31_000_000) + bytes(31_000_000) + b".", "a bytes"),
    "tuple as a key": (b"}(K\x01\x85K\x01u.", "tuple found"),
    "tuples in a key": (b"}(K\x01" + b"\x85" * 60_000 + b"K\x01u.", "is opcode TUPLE1, which a"),
    "tuples of one tuple": (b"}(K\x01q\x00" + b"h\0\x86q\0" * 60 + b"K\x01u.", "opcode BINGET,"),
    "list as a key": (b"}(]K\x01u.", "unhashable"),
    "lists": (b"](" * 30_000 + b"K\x01" + b"e" * 30_000 + b".", "22 is opcode EMPTY_LIST, which"),
    "unending": (b"N" * 120_000 + b".", "opcode NONE, which a batch has 10 times at most"),
    "unending numbers": (b"K\1" * 30_000 + b".", "opcode BININT1, which a batch has 20,100 "),
    "nested batch": (b"]q\x01(h\x01e.", "it holds a list, not a dict"),
    "APPENDS to a dict": (b"}(K\x01e.", "'dict'"),
    "SETITEMS of a list": (b"](U\x01aK\x01u.", "list indices"),
    "odd SETITEMS": (b"}(U\x01au.", ""),
    "no MARK": (b"}e.", ""),
    "no MARK for a tuple": (b"}t.", ""),
    "only STOP": (b".", ""),
    "no STOP": (b"}", "ends before its last opcode"),
    "bytes after STOP": (b"}.}", "it goes on after its end at byte 4"),
    "protocol 0": (b"(dp0\n.", "is opcode DICT"),
    "frame": (pickle.dumps({"labels": []}, 4), "is opcode FRAME"),
}  # fmt: skip


@pytest.mark.parametrize(("payload", "match"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles(pickled, monkeypatch, tmp_path, payload, match):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    content = payload if payload[:1] == b"\x80" else b"\x80\x02" + payload
    tracemalloc.start()
    message = refused(pickled[0], content, f"refused, nothing in it was run: .*{match}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000
    assert "\n" not in message
    assert not (tmp_path / "was_run").exists()
    assert set(sys.modules) == before


@pytest.mark.skipif(sys.platform == "win32", reason="uses touch")
@pytest.mark.parametrize(
    "kind", ["GLOBAL", "GLOBAL in a batch", "INST", "STACK_GLOBAL", "OBJ of another"]
)
def test_hostile_pickles_are(monkeypatch, tmp_path, kind):
    """The command runs where such a file is unpickled."""
    monkeypatch.chdir(tmp_path)
    payload, _ = HOSTILE[kind]
    pickle.loads(b"\x80\x02" + payload, encoding="latin1")
    assert (tmp_path / "was_run").exists()


def test_truncated_pickles(pickled):
    root, batches = pickled
    content = pickled_batch(*batches[0], "mine")
    for stop in [*range(200), 5_000, *range(len(content) - 200, len(content))]:
        (root / "data_batch_1").write_bytes(content[:stop])
        with pytest.raises(ValueError, match="data_batch_1 is refused, nothing in it was run"):
            load_cifar10(root, num_val=2, num_test=2)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_damaged_pickles_raise_nothing_but_value_errors(pickled, changes):
    root, batches = pickled
    content = bytearray(pickled_batch(*batches[0], "mine"))
    for where, value in changes:
        content[where if where < 300 else where - 600] = value
    (root / "data_batch_1").write_bytes(content)
    with contextlib.suppress(ValueError):
        assert load_cifar10(root, num_val=2, num_test=2).X_train.shape == (18, 32, 32, 3)
