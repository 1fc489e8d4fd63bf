"""Download the full Fashion-MNIST and CIFAR-10 into a cache: ``make data``.

Each file is fetched under a temporary name, checked against its SHA-256 and only then renamed and
unpacked. What fails is deleted, and what is there already is not fetched again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from .cache import CIFAR10_STEMS, FOLDERS, default_cache

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
BATCHES = tuple(f"{stem}.bin" for stem in CIFAR10_STEMS)
MAX_BYTES = 30_730_000  # of a member: 10,000 records of 3,073 bytes
TIMEOUT = (10, 60)  # seconds to wait for the connection, and for the next bytes


def fetch(
    names: Sequence[str] = ("fashion_mnist", "cifar10"),
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
    ValueError
        If a name is unknown.
    OSError
        If a file cannot be fetched, or is not the one expected; then nothing of it is kept.
    """
    unknown = [name for name in names if name not in FOLDERS]
    if unknown:
        raise ValueError(
            f"there is no data set {unknown[0]!r}: the choices are {', '.join(FOLDERS)}"
        )
    root = Path(cache or default_cache())
    folders = {name: root / FOLDERS[name] for name in names}
    for name, folder in folders.items():
        place = root if name == "cifar10" else folder
        for line in SHA256SUMS[name].strip().splitlines():
            digest, file = line.split()
            path = _fetch_file(f"{(base_url or BASE_URLS[name]).rstrip('/')}/{file}", digest, place)
        if name == "cifar10" and not all((folder / batch).is_file() for batch in BATCHES):
            _unpack(path, folder)
    return folders


def _fetch_file(url: str, digest: str, folder: Path) -> Path:
    """Return the file of that SHA-256 in `folder`, fetched if it is not there."""
    import pooch

    file = url.rpartition("/")[2]
    store = pooch.create(folder, "", registry={file: digest}, urls={file: url}, retry_if_failed=2)
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
            f"{url} could not be fetched: {error} Run `make data` again, or put the file into "
            f"{folder} by other means"
        ) from error


def _unpack(archive: Path, folder: Path) -> None:
    """Move CIFAR-10's six files from the archive into `folder`, all of them or none."""
    wanted = {f"cifar-10-batches-bin/{batch}": batch for batch in BATCHES}
    try:
        with (
            tempfile.TemporaryDirectory(dir=archive.parent) as scratch,
            tarfile.open(archive) as tar,
        ):
            for member in tar:
                if member.size > MAX_BYTES:
                    raise ValueError(f"{member.name} has {member.size:,} bytes")
                stream = tar.extractfile(member) if member.isreg() else None
                if stream and (batch := wanted.pop(member.name, None)):
                    with stream, Path(scratch, batch).open("wb") as target:
                        shutil.copyfileobj(stream, target)
                if not wanted:
                    break
            if wanted:
                raise ValueError(f"it lacks the file {min(wanted)}")
            folder.mkdir(exist_ok=True)
            for batch in BATCHES:
                os.replace(Path(scratch, batch), folder / batch)
    except (ValueError, EOFError, tarfile.TarError, zlib.error) as error:
        raise OSError(
            f"{archive} is not CIFAR-10's archive: {error}. Delete it and run `make data` again"
        ) from error


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
