"""The real download code against a server on loopback."""

import contextlib
import errno
import hashlib
import http.server
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pooch
import pytest
from small_sets import STEMS, write_fashion

from cs231n_helpers.datasets import download, load_cifar10, load_fashion_mnist

BATCHES = [f"{stem}.bin" for stem in STEMS]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rpartition("/")[2]
        self.server.requests.append(name)
        answers = self.server.answers.get(name, [])
        if not answers:
            self.send_error(404)
            return
        content, length = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Serves `answers`: for each name a list of (content, Content-Length), the last forever."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests = {}, []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def serve(self, name, *contents):
        self.answers[name] = [
            item if isinstance(item, tuple) else (item, len(item)) for item in contents
        ]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def expect(monkeypatch, name, files):
    """Make `files`, name to content, the official ones of the data set."""
    sums = "\n".join(f"{hashlib.sha256(files[file]).hexdigest()}  {file}" for file in files)
    monkeypatch.setitem(download.SHA256SUMS, name, f"\n{sums}\n")


@pytest.fixture
def fashion(server, monkeypatch, tmp_path):
    """Serve 30 images to train and 10 to test under the four official names."""
    names = [f"{name}.gz" for name in write_fashion(tmp_path, 30, 10)]
    files = {name: (tmp_path / name).read_bytes() for name in names}
    for name in names:
        (tmp_path / name).unlink()
    expect(monkeypatch, "fashion_mnist", files)
    for name, content in files.items():
        server.serve(name, content)
    return files


def members(n=4):
    """Return the entries of a small official archive, name to content; None is a folder."""
    rng = np.random.default_rng(3)
    entries = {"cifar-10-batches-bin": None, "cifar-10-batches-bin/batches.meta.txt": b"airplane\n"}
    for batch in BATCHES:
        records = rng.integers(0, 256, (n, 3_073)).astype(np.uint8)
        records[:, 0] %= 10
        entries[f"cifar-10-batches-bin/{batch}"] = records.tobytes()
    return entries


def archive(entries):
    """Return a .tar.gz of entries like those of `members`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return stream.getvalue()


def serve_cifar(server, monkeypatch, content):
    name = "cifar-10-binary.tar.gz"
    expect(monkeypatch, "cifar10", {name: content})
    server.serve(name, content)


def tree(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def test_fetch_both(server, fashion, monkeypatch, tmp_path, capsys):
    entries = members()
    serve_cifar(server, monkeypatch, archive(entries))
    folders = download.fetch(cache=tmp_path / "new" / "cache", base_url=server.url)
    assert folders == {
        "fashion_mnist": tmp_path / "new/cache/fashion-mnist",
        "cifar10": tmp_path / "new/cache/cifar-10-batches-bin",
    }
    assert tree(tmp_path / "new/cache") == sorted(
        [f"fashion-mnist/{name}" for name in fashion]
        + [f"cifar-10-batches-bin/{batch}" for batch in BATCHES]
        + ["cifar-10-binary.tar.gz"]
    )
    assert load_fashion_mnist(folders["fashion_mnist"], num_val=5).X_train.shape == (25, 28, 28)
    assert load_cifar10(folders["cifar10"], num_val=5, num_test=4).y_test.shape == (4,)
    for batch in BATCHES:
        content = (folders["cifar10"] / batch).read_bytes()
        assert content == entries[f"cifar-10-batches-bin/{batch}"]
    assert "100%" in capsys.readouterr().err  # the progress bar
    assert sorted(server.requests) == sorted([*fashion, "cifar-10-binary.tar.gz"])


def test_second_fetch_asks_for_nothing(server, fashion, monkeypatch, tmp_path):
    serve_cifar(server, monkeypatch, archive(members()))
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path))
    folders = download.fetch(base_url=server.url)
    server.requests.clear()
    batch = folders["cifar10"] / BATCHES[2]
    before = batch.stat().st_mtime_ns
    assert download.fetch(base_url=f"{server.url}/") == folders
    assert batch.stat().st_mtime_ns == before
    content = batch.read_bytes()
    batch.unlink()
    download.fetch(["cifar10"], base_url=server.url)  # unpacked again, from the archive
    assert batch.read_bytes() == content
    assert server.requests == []
    assert load_cifar10(num_val=5, num_test=4).y_val.shape == (5,)  # the default place


def test_only_what_is_asked_for(server, fashion, tmp_path):
    folders = download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert list(folders) == ["fashion_mnist"]
    assert not (tmp_path / "cifar-10-batches-bin").exists()
    with pytest.raises(ValueError, match="no data set 'mnist': the choices are fashion_mnist, ci"):
        download.fetch(["fashion_mnist", "mnist"], tmp_path, base_url=server.url)


def test_wrong_content_is_not_kept(server, fashion, tmp_path):
    name = "train-labels-idx1-ubyte.gz"
    server.serve(name, b"something else")
    match = (
        rf"{server.url}/{name} could not be fetched: SHA256 hash .* does not match .*again, or put"
    )
    with pytest.raises(OSError, match=match):
        download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert tree(tmp_path) == ["fashion-mnist/train-images-idx3-ubyte.gz"]
    assert server.requests.count(name) == 3
    server.serve(name, fashion[name])
    server.requests.clear()
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert "train-images-idx3-ubyte.gz" not in server.requests  # goes on where it failed


def test_cut_connection_is_tried_again(server, fashion, tmp_path):
    name = "t10k-images-idx3-ubyte.gz"
    content = fashion[name]
    server.serve(name, (content[:1_000], len(content)), b"wrong", content)
    folder = download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)["fashion_mnist"]
    assert (folder / name).read_bytes() == content
    assert server.requests.count(name) == 3
    assert len(tree(tmp_path)) == 4


def test_connection_that_is_always_cut(server, fashion, tmp_path):
    name = "train-images-idx3-ubyte.gz"
    server.serve(name, (fashion[name][:1_000], len(fashion[name])))
    with pytest.raises(OSError, match=r"could not be fetched: .* Run this again, or put"):
        download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert tree(tmp_path) == []


def test_damaged_file_in_the_cache_is_replaced(server, fashion, tmp_path):
    name = "t10k-labels-idx1-ubyte.gz"
    folder = download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)["fashion_mnist"]
    (folder / name).write_bytes(b"damaged")
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert (folder / name).read_bytes() == fashion[name]


def test_damaged_batch_is_unpacked_again(server, monkeypatch, tmp_path):
    serve_cifar(server, monkeypatch, archive(members()))
    folder = download.fetch(["cifar10"], tmp_path, base_url=server.url)["cifar10"]
    os.truncate(folder / BATCHES[1], 3_072)
    download.fetch(["cifar10"], tmp_path, base_url=server.url)
    assert load_cifar10(folder, num_val=5, num_test=4).y_test.shape == (4,)
    assert len(server.requests) == 1


def test_silent_server(server, fashion, monkeypatch, tmp_path):
    monkeypatch.setattr(download, "TIMEOUT", (5, 0.05))
    wait = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda self: wait.wait(5) and None)
    with pytest.raises(OSError, match=r"could not be fetched: .*timed out.*0\.05"):
        download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    wait.set()
    assert tree(tmp_path) == []


def test_default_urls(monkeypatch, tmp_path):
    asked = []

    def fetch(store, file):
        digest = store.registry[file]
        asked.append((store.get_url(file), digest[:8], len(digest), store.path.parent))

    monkeypatch.setattr(download, "_fetch_file", fetch)
    monkeypatch.setattr(download, "_unpack", lambda *args: asked.append(args))
    download.fetch(cache=tmp_path)
    base = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
    folder = tmp_path / "fashion-mnist"
    assert asked == [
        (f"{base}/train-images-idx3-ubyte.gz", "3aede38d", 64, folder),
        (f"{base}/train-labels-idx1-ubyte.gz", "a04f1713", 64, folder),
        (f"{base}/t10k-images-idx3-ubyte.gz", "346e55b9", 64, folder),
        (f"{base}/t10k-labels-idx1-ubyte.gz", "67da17c7", 64, folder),
        ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c4a38c50", 64, tmp_path),
        (tmp_path / "cifar-10-binary.tar.gz", tmp_path / "cifar-10-batches-bin", BATCHES),
    ]


def test_default_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path))
    assert download.default_cache() == tmp_path
    monkeypatch.delenv("CS231N_CACHE")
    assert download.default_cache() == Path(pooch.os_cache("cs231n_helpers"))


def test_another_archive_is_not_opened(server, monkeypatch, tmp_path):
    serve_cifar(server, monkeypatch, archive(members()))
    server.serve("cifar-10-binary.tar.gz", archive(members(5)))
    with pytest.raises(OSError, match=r"SHA256 hash .* does not match"):
        download.fetch(["cifar10"], tmp_path, base_url=server.url)
    assert tree(tmp_path) == []


def test_what_else_is_in_an_archive_stays_there(server, monkeypatch, tmp_path):
    evil = dict.fromkeys(("../escaped", str(tmp_path / "absolute"), BATCHES[0]), b"x")
    evil["cifar-10-batches-bin/readme.html"] = b"x"
    serve_cifar(server, monkeypatch, archive(evil | members()))
    cache = tmp_path / "a" / "b"
    folder = download.fetch(["cifar10"], cache, base_url=server.url)["cifar10"]
    assert sorted(path.name for path in folder.iterdir()) == BATCHES
    assert len(tree(tmp_path)) == 7
    content = (folder / BATCHES[0]).read_bytes()
    assert content == members()[f"cifar-10-batches-bin/{BATCHES[0]}"]


@pytest.mark.parametrize("stop_at", [BATCHES[0], BATCHES[3]])
def test_unpacking_that_is_stopped_leaves_nothing(server, monkeypatch, tmp_path, stop_at):
    serve_cifar(server, monkeypatch, archive(members()))
    write = tarfile.TarFile.makefile

    def stopped(tar, member, path):
        write(tar, member, path)
        if member.name.endswith(stop_at):
            raise KeyboardInterrupt

    monkeypatch.setattr(tarfile.TarFile, "makefile", stopped)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(["cifar10"], tmp_path, base_url=server.url)
    assert tree(tmp_path) == ["cifar-10-binary.tar.gz"]
    monkeypatch.setattr(tarfile.TarFile, "makefile", write)
    folder = download.fetch(["cifar10"], tmp_path, base_url=server.url)["cifar10"]
    assert load_cifar10(folder, num_val=5, num_test=4).y_test.shape == (4,)


def test_archive_that_lacks_a_file(server, monkeypatch, tmp_path):
    entries = members()
    del entries[f"cifar-10-batches-bin/{BATCHES[3]}"]
    serve_cifar(server, monkeypatch, archive(entries))
    with pytest.raises(FileNotFoundError, match=BATCHES[3]):
        download.fetch(["cifar10"], tmp_path, base_url=server.url)
    assert not (tmp_path / "cifar-10-batches-bin" / BATCHES[3]).exists()


def test_command(server, fashion, tmp_path, capsys):
    arguments = ["--cache", str(tmp_path), "--base-url", server.url]
    assert download.main(["fashion_mnist", *arguments]) == 0
    assert capsys.readouterr().out == f"fashion_mnist: {tmp_path / 'fashion-mnist'}\n"
    assert download.main(arguments) == 1  # both; the server knows no CIFAR-10
    output = capsys.readouterr()
    assert output.out == f"fashion_mnist: {tmp_path / 'fashion-mnist'}\n"
    (line,) = [line for line in output.err.splitlines() if line.startswith("cifar10: ")]
    assert f"{server.url}/cifar-10-binary.tar.gz could not be fetched: 404" in line
    assert f"put the file into {tmp_path} by other means" in line
    assert "Traceback" not in output.err
    assert tree(tmp_path) == sorted(f"fashion-mnist/{name}" for name in fashion)


def test_command_line_help():
    command = [sys.executable, "-m", "cs231n_helpers.datasets.download", "--help"]
    run = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert (run.returncode, run.stderr) == (0, "")
    for word in ("--cache", "--base-url", "NAME", "CS231N_CACHE"):
        assert word in run.stdout


def test_command_with_a_wrong_name(capsys):
    assert download.main(["mnist"]) == 1
    message = "mnist: there is no data set 'mnist': the choices are fashion_mnist, cifar10\n"
    assert capsys.readouterr().err == message


@pytest.fixture
def slow(fashion, monkeypatch):
    """Make the server send a little of each file and then wait; return the event that ends it."""
    go_on = threading.Event()

    def answer(handler):
        content = fashion[handler.path.rpartition("/")[2]]
        handler.server.requests.append(handler.path)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(content[:10])
            go_on.wait(20)
            handler.wfile.write(content[10:])

    monkeypatch.setattr(Handler, "do_GET", answer)
    yield go_on
    go_on.set()


def until(condition):
    end = time.monotonic() + 30
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


def begun(server, folder):
    """Return the file that is being written, once the server is asked for its content."""
    return until(lambda: server.requests and list(folder.glob(".incoming/*")))[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_signal_leaves_nothing_for_long(server, slow, fashion, tmp_path, name):
    command = [sys.executable, "-m", "cs231n_helpers.datasets.download", "fashion_mnist"]
    command += ["--cache", str(tmp_path), "--base-url", server.url]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as run:
        begun(server, tmp_path / "fashion-mnist")
        run.send_signal(getattr(signal, name))
        output = run.communicate()[1]
    assert "Traceback" not in output
    if name == "SIGKILL":
        assert len(tree(tmp_path)) == 2  # what had come, and the lock that nobody holds
    else:
        assert (run.returncode, tree(tmp_path)) == (128 + signal.SIGTERM, [])
    slow.set()
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert sorted(path.name for path in (tmp_path / "fashion-mnist").iterdir()) == sorted(fashion)


def test_what_a_dead_run_left_is_cleared_when_nothing_is_lacking(server, fashion, tmp_path):
    folder = download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)["fashion_mnist"]
    (folder / ".incoming").mkdir()
    (folder / ".incoming" / "tmp123").write_bytes(b"half")
    (folder / ".lock").touch()
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert sorted(path.name for path in folder.iterdir()) == sorted(fashion)
    (folder / ".lock").touch()
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert sorted(path.name for path in folder.iterdir()) == sorted(fashion)


def test_two_downloads_at_once_take_turns(server, slow, fashion, tmp_path):
    def fetch():
        return download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)["fashion_mnist"]

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(fetch), pool.submit(fetch)]
        part = begun(server, tmp_path / "fashion-mnist")
        time.sleep(0.2)  # for the other to come and wait
        assert part.exists()
        slow.set()
        (folder,) = {run.result() for run in runs}
    assert sorted(path.name for path in folder.iterdir()) == sorted(fashion)
    assert len(server.requests) == 4


def test_complete_cache_may_be_read_only(server, fashion, monkeypatch, tmp_path):
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: pytest.fail("wrote"))
    monkeypatch.setattr(download, "FileLock", lambda *_, **__: pytest.fail("locked"))
    download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)


REMEDY = r"put that right, or name another folder with --cache or CS231N_CACHE"


def test_cache_that_is_no_folder(server, fashion, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=rf"file.*(exists|directory): {REMEDY}"):
        download.fetch(["fashion_mnist"], tmp_path / "file", base_url=server.url)
    (tmp_path / "fashion-mnist").touch()
    with pytest.raises(OSError, match=rf"fashion-mnist.*: {REMEDY}"):
        download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    (tmp_path / "fashion-mnist").unlink()
    name = "t10k-labels-idx1-ubyte.gz"
    (tmp_path / "fashion-mnist" / name).mkdir(parents=True)
    with pytest.raises(OSError, match=rf"{name}: .*: {REMEDY}"):
        download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("where", ["download", "unpack", "move"])
def test_full_disk_and_the_like(server, monkeypatch, tmp_path, number, where):
    serve_cifar(server, monkeypatch, archive(members()))
    error = OSError(number, os.strerror(number))

    def refuses(*args, **options):
        if where == "move" and not str(args[1]).endswith(BATCHES[2]):
            return replace(*args)
        raise OSError(*error.args)

    replace = os.replace
    place = {
        "download": (pooch.HTTPDownloader, "__call__"),
        "unpack": (tarfile.TarFile, "makefile"),
        "move": (os, "replace"),
    }[where]
    with monkeypatch.context() as patch:
        patch.setattr(*place, refuses)
        match = rf"cifar-10-batches-bin: {error.strerror}: {REMEDY}"
        with pytest.raises(type(error), match=match):
            download.fetch(["cifar10"], tmp_path, base_url=server.url)
    assert not list(tmp_path.rglob(".*"))
    folder = download.fetch(["cifar10"], tmp_path, base_url=server.url)["cifar10"]
    assert load_cifar10(folder, num_val=5, num_test=4).y_test.shape == (4,)


@pytest.mark.parametrize("make", [lambda path: os.mkfifo(path), lambda path: path.symlink_to(path)])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes")
def test_what_is_no_file_is_not_waited_for(server, fashion, tmp_path, make):
    place = tmp_path / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    place.parent.mkdir()
    make(place)
    try:
        download.fetch(["fashion_mnist"], tmp_path, base_url=server.url)
    except OSError as error:
        assert re.search(rf"{place.name}: Too many levels.*: {REMEDY}", str(error))  # noqa: PT017
    else:
        assert place.is_file()


@pytest.mark.parametrize("names", ["mnist", 3, None, ["cifar10", 3], [["cifar10"]], b"cifar10"])
def test_wrong_names(names, tmp_path):
    with pytest.raises(ValueError, match=r"there is no data set .*: the choices are fashion_mnist"):
        download.fetch(names, tmp_path)


def test_wrong_mirrors(tmp_path, monkeypatch):
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    with pytest.raises(TypeError, match="base_url is 3, but it must be a str: pass a mirror's URL"):
        download.fetch("cifar10", tmp_path, base_url=3)
    for url in ("", "nonsense", "ftp://mirror", "http://[::1"):
        with pytest.raises(
            OSError, match=r"cifar-10-binary.tar.gz could not be fetched: .* Run this again"
        ):
            download.fetch("cifar10", tmp_path, base_url=url)
    assert list(tmp_path.iterdir()) == []


def test_one_name_may_stand_alone(server, fashion, tmp_path):
    assert list(download.fetch("fashion_mnist", tmp_path, base_url=server.url)) == ["fashion_mnist"]
