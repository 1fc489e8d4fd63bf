"""Models that are kept in the folder ``saved`` of the working directory."""

from pathlib import Path

from ..datasets.files import as_path
from ..parameter_files import read_params, write_params
from ..validation import Floats


class Saved:
    """`save` and `load` of a model that has `params`, arrays by name."""

    params: dict[str, Floats]

    def save(self, name: str) -> None:
        """Write the parameters to ``saved/name``; .npy is added where it is missing."""
        write_params(_path(name), self.params)
        print(f"{name} saved.")

    def load(self, name: str) -> bool:
        """Take the parameters from ``saved/name``; return whether there is such a file."""
        if found := _path(name).is_file():
            self.params = read_params(_path(name))
        return found


def _path(name: str) -> Path:
    path = Path("saved") / as_path("name", name)
    return path if path.suffix == ".npy" else path.with_name(f"{path.name}.npy")
