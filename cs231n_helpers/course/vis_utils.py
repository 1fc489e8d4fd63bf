"""Images in a grid, see `cs231n_helpers.plots`."""

from ..plots import visualize_grid

__all__ = ["visualize_grid"]
