"""Install the wheel where nothing else is, and run lessons from it: ``python tests/wheel.py``.

Each environment has a home and a folder of its own, outside the checkout, and the versions that it
is named for. The lessons are compared with their stored outputs, as `make test` does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = {
    "oldest": ["numpy==1.26.4", "scipy==1.11.4", "matplotlib==3.9.4"],
    "colab": ["numpy==2.0.2", "scipy==1.16.3", "matplotlib==3.10.9"],
    "newest": ["numpy", "scipy", "matplotlib"],
}
LESSONS = ["00_numpy", "01_svm", "09_layers"]
SHIPPED = "import cs231n_helpers as p; print(p.__path__[0] + '/_shipped/notebooks')"


def run(name: str, wheel: Path, folder: Path) -> None:
    """Install and run; CalledProcessError where something fails."""
    venv.create(folder / "env", with_pip=True)
    scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    python, home = scripts / "python", folder / "home"
    home.mkdir()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "JUPYTER"))}
    environment = {**kept, "HOME": str(home), "OPENBLAS_NUM_THREADS": "1"}

    def call(*arguments: str | Path) -> str:
        done = subprocess.run(
            [python, *arguments], cwd=folder, env=environment, capture_output=True, encoding="utf-8"
        )
        if done.returncode:
            raise SystemExit(f"{name}: {done.args} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    extra = ["nbval", "ipykernel", "ipywidgets"]
    start = time.monotonic()
    call("-m", "pip", "install", "--quiet", wheel, *VERSIONS[name], *extra)
    print(f"{name}: installed in {time.monotonic() - start:.0f} s")
    assert "lessons [FOLDER]" in call("-m", "cs231n_helpers")
    print(f"{name}:", call("-m", "cs231n_helpers", "lessons").strip())
    assert len(list((folder / "workbook").glob("*.ipynb"))) == 11
    shipped = Path(call("-c", SHIPPED).strip())
    paths = [shipped / f"{lesson}.ipynb" for lesson in LESSONS]
    options = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    print(f"{name}:", call("-m", "pytest", *options, *paths).strip().splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(VERSIONS))
    options = parser.parse_args()
    (wheel,) = (ROOT / "dist").glob("*.whl")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    for name in options.names or VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            run(name, wheel, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
