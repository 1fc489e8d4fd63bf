"""Download the full Fashion-MNIST and CIFAR-10 into a cache: ``make data``.

Each file is fetched into a folder `.incoming` beside its place, checked against its SHA-256 and
only then moved or unpacked: an archive holds what the known one holds, no more. What is there
already is not fetched again. One run at a time fills a data set; the next clears what a run that
died has left.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from ..leftovers import exit_at_signals
from ..validation import shown
from .cifar10 import load_cifar10
from .files import as_path, is_file, opened, told
from .splits import CIFAR10_STEMS, FOLDERS, check_name, default_cache

BASE_URLS = {
    "fashion_mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "cifar10": "https://www.cs.toronto.edu/~kriz",
}
SHA256SUMS = {
    "fashion_mnist": """
3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84  train-images-idx3-ubyte.gz
a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845  train-labels-idx1-ubyte.gz
346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073  t10k-images-idx3-ubyte.gz
67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5  t10k-labels-idx1-ubyte.gz
""",
    "cifar10": """
c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd  cifar-10-binary.tar.gz
""",
}
TIMEOUT = (10, 60)  # seconds to wait for the connection, and for the next bytes
_SCRATCH, _LOCK = ".incoming", ".lock"
_REMEDY = "name another folder with --cache or CS231N_CACHE"


def fetch(
    names: Sequence[str] = tuple(FOLDERS),
    cache: str | os.PathLike[str] | None = None,
    *,
    base_url: str | None = None,
) -> dict[str, Path]:
    """Fetch what the cache lacks of the data sets.

    Parameters
    ----------
    names : sequence of {'fashion_mnist', 'cifar10'}
    cache : path, optional
        By default `default_cache`.
    base_url : str, optional
        A mirror that has all files side by side, such as a server in the classroom; the checksums
        stay the same. By default each data set's home.

    Returns
    -------
    dict of str to Path
        For each name the folder to pass to `load_fashion_mnist` or `load_cifar10`.

    Raises
    ------
    OSError
        If a file cannot be fetched, or is not the one expected; then nothing of it is kept.
    """
    names = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    for name in names:
        check_name(name, FOLDERS)
    if not isinstance(base_url, str | None):
        raise TypeError(f"base_url is {shown(base_url)}, but it must be a str: pass a mirror's URL")
    root = default_cache() if cache is None else as_path("cache", cache)
    folders = {name: root / FOLDERS[name] for name in names}
    for name, folder in folders.items():
        with told(folder, _REMEDY):
            _fill(name, folder, BASE_URLS[name] if base_url is None else base_url)
    return folders


def _fill(name: str, folder: Path, url: str) -> None:
    """Fetch what the folder of a data set lacks; if nothing, the folder may be read-only."""
    import pooch

    home, batches = folder, []
    if name == "cifar10":
        home, batches = folder.parent, [f"{stem}.bin" for stem in CIFAR10_STEMS]
    sums = {file: digest for digest, file in map(str.split, SHA256SUMS[name].strip().splitlines())}

    def lacking() -> tuple[list[str], bool]:
        files = [file for file, digest in sums.items() if not _is_whole(home / file, digest)]
        return files, bool(batches) and not _loads(folder)

    if not any(lacking()):
        if (home / _SCRATCH).exists() or (home / _LOCK).exists():
            with suppress(OSError), _turn(home, timeout=0):
                pass
        return
    home.mkdir(parents=True, exist_ok=True)
    if (home / _LOCK).exists():
        pooch.get_logger().info("Another run is at work in '%s', or was: waiting for it.", home)
    with _turn(home):
        files, packed = lacking()  # another run may have been faster
        store = pooch.create(
            home / _SCRATCH, f"{url.rstrip('/')}/", registry=sums, retry_if_failed=2
        )
        for file in files:
            _fetch_file(store, file)
        if packed:
            _unpack(home / next(iter(sums)), folder, batches)


def _loads(folder: Path) -> bool:
    """Return whether CIFAR-10 can be loaded: what cannot is to be unpacked again."""
    try:
        load_cifar10(folder, num_train=1, num_val=1, num_test=1)
    except (OSError, ValueError):
        return False
    return True


def _is_whole(path: Path, digest: str) -> bool:
    """Return whether the file is there with this SHA-256."""
    if not is_file(path, _REMEDY):
        return False
    with opened(path, 200_000_000, "but the largest file has 170,052,171", "remove it") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == digest


@contextmanager
def _turn(home: Path, timeout: float = -1) -> Iterator[None]:
    """Wait until no other run is at work in the folder, and clear what is not whole, twice.

    The system lets go of the lock when a process dies, whatever ended it.
    """
    scratch = home / _SCRATCH
    with FileLock(home / _LOCK, timeout=timeout) as lock:
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            yield
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            with suppress(OSError):  # Windows removes it itself
                os.unlink(lock.lock_file)


def _fetch_file(store: Any, file: str) -> None:
    """Fetch a file of a `pooch.Pooch` and move it from the store's folder to the one above."""
    import pooch

    downloader = pooch.HTTPDownloader(
        progressbar=True,
        chunk_size=2**16,
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},  # the .gz as it is, not unpacked on the way
    )
    home = store.path.parent
    try:
        fetched = store.fetch(file, downloader=downloader)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the network
        raise OSError(
            f"{store.get_url(file)} could not be fetched: {error} Run this again, or put "
            f"the file into {home} by other means"
        ) from error
    os.replace(fetched, home / file)


def _unpack(archive: Path, folder: Path, files: Sequence[str]) -> None:
    """Unpack these files of a folder in the archive; none is there before all are unpacked."""
    import pooch

    scratch = archive.parent / _SCRATCH
    unpack = pooch.Untar([f"{folder.name}/{file}" for file in files], extract_dir=scratch)
    unpack(str(archive), "download", None)
    folder.mkdir(exist_ok=True)
    for file in files:
        os.replace(scratch / folder.name / file, folder / file)


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch the data sets named on the command line; return 1 if one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m cs231n_helpers.datasets.download", description=__doc__
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="fashion_mnist, cifar10 (default: both)"
    )
    parser.add_argument(
        "--cache", help="folder to keep them in (default: CS231N_CACHE, else the user's cache)"
    )
    parser.add_argument("--base-url", help="mirror that has all files side by side")
    args = parser.parse_args(argv)
    failed = False
    for name in args.names or FOLDERS:
        try:
            print(f"{name}: {fetch([name], args.cache, base_url=args.base_url)[name]}")
        except (OSError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    exit_at_signals()
    sys.exit(main())
