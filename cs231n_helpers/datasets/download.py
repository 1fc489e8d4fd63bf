"""Download the full Fashion-MNIST and CIFAR-10 into a cache: ``make data``.

Each file is fetched under a temporary name, checked against its SHA-256 and only then renamed and
unpacked. What fails is deleted, and what is there already is not fetched again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .splits import CIFAR10_STEMS, FOLDERS, default_cache

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
    import pooch

    unknown = [name for name in names if name not in FOLDERS]
    if unknown:
        raise ValueError(
            f"there is no data set {unknown[0]!r}: the choices are {', '.join(FOLDERS)}"
        )
    root = Path(cache or default_cache())
    folders = {name: root / FOLDERS[name] for name in names}
    for name, folder in folders.items():
        sums = (line.split() for line in SHA256SUMS[name].strip().splitlines())
        store = pooch.create(
            root if name == "cifar10" else folder,
            f"{(base_url or BASE_URLS[name]).rstrip('/')}/",
            registry={file: digest for digest, file in sums},
            retry_if_failed=2,
        )
        paths = [_fetch_file(store, file) for file in store.registry]
        batches = [f"{stem}.bin" for stem in CIFAR10_STEMS]
        if name == "cifar10" and not all((folder / batch).is_file() for batch in batches):
            _unpack(paths[0], folder, batches)
    return folders


def _fetch_file(store: Any, file: str) -> Path:
    """Return a file of a `pooch.Pooch`, fetched if it is not there."""
    import pooch

    downloader = pooch.HTTPDownloader(
        progressbar=True,
        chunk_size=2**16,
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},  # the .gz as it is, not unpacked on the way
    )
    try:
        return Path(store.fetch(file, downloader=downloader))
    except (OSError, ValueError) as error:
        raise OSError(
            f"{store.get_url(file)} could not be fetched: {error} Run `make data` again, or put "
            f"the file into {store.path} by other means"
        ) from error


def _unpack(archive: Path, folder: Path, files: Sequence[str]) -> None:
    """Unpack these files of a folder in the archive; none is there before all are unpacked."""
    import pooch

    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        unpack = pooch.Untar([f"{folder.name}/{file}" for file in files], extract_dir=scratch)
        unpack(str(archive), "download", None)
        folder.mkdir(exist_ok=True)
        for file in files:
            os.replace(Path(scratch, folder.name, file), folder / file)


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
    sys.exit(main())
