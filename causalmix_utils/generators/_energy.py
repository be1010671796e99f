"""What TabEBM is made of: corner points, an energy, and chains that walk down it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

_CELLS_PER_PASS = 20_000


def compute_energy(logits: torch.Tensor, energy: str, *, temperature: float = 1.0) -> torch.Tensor:
    """Energy from logits whose last axis has the class first and the corners second.

    Parameters
    ----------
    logits : Tensor of shape (..., 2)
    energy : {"log_sum_exp", "class_logit"}
        Minus the logarithm of the sum of both exponentials (the paper's equation 3), or minus the first logit.
    temperature : float, default=1.0
        Divides the logits.

    Returns
    -------
    Tensor of shape (...)

    Examples
    --------
    >>> import torch
    >>> round(float(compute_energy(torch.zeros(2), "log_sum_exp")), 4)
    -0.6931
    """
    scaled = logits / temperature
    return -scaled[..., 0] if energy == "class_logit" else -scaled.logsumexp(dim=-1)


def draw_corners(n_features: int, n: int, *, distance: float, rng: np.random.Generator) -> np.ndarray:
    """Random corners of the cube [-distance, distance]^n_features: n / 2 different ones and their mirror images.

    Returns
    -------
    ndarray of shape (min(n, 2 ** n_features), n_features)

    Examples
    --------
    >>> sorted(draw_corners(1, 4, distance=5.0, rng=np.random.default_rng(0)).ravel().tolist())
    [-5.0, 5.0]
    """
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < min(n // 2, 2 ** (n_features - 1)):
        signs = rng.choice([-1, 1], size=n_features)
        # One of a corner and its mirror image stands for both.
        chosen.setdefault(tuple((signs * signs[0]).tolist()))
    half = distance * np.array(list(chosen), dtype=float)
    return np.vstack([half, -half])


def walk_down(
    energy: Callable[[torch.Tensor], torch.Tensor],
    start: torch.Tensor,
    *,
    draw: Callable[[tuple[int, ...]], torch.Tensor],
    n_steps: int,
    gradient_every: int,
    step_size: torch.Tensor,
    noise_scale: float,
) -> np.ndarray:
    """Stochastic gradient Langevin dynamics (the paper's equation 4): down the energy, with noise at each step.

    Parameters
    ----------
    energy : callable
        Maps points of shape (n_tables, n_rows, n_features) to energies of shape (n_tables, n_rows).
    start : Tensor of shape (n_tables, n_rows, n_features)
    draw : callable
        Draws standard normal noise of a shape. It is called once for each gradient.
    n_steps, gradient_every : int
        A gradient serves so many steps; what these add up to is drawn at once, since the sum of k independent normal
        noises is one with k times the variance.
    step_size : Tensor that broadcasts against `start`
    noise_scale : float

    Returns
    -------
    ndarray of shape (n_tables, n_rows, n_features)
        Where the chains are after `n_steps`.
    """
    import torch

    points, done = start, 0
    while done < n_steps:
        n = min(gradient_every, n_steps - done)
        points = points.detach().requires_grad_()
        (slope,) = torch.autograd.grad(energy(points).sum(), points)
        points = points - n * step_size * slope + n**0.5 * noise_scale * draw(tuple(points.shape))
        done += n
    return points.detach().cpu().numpy().astype(float)


def split_rows(points: np.ndarray) -> list[np.ndarray]:
    """Points of shape (n_tables, n_rows, n_features) in parts of rows that fit into memory with their gradients."""
    n_parts = -(-points.size // _CELLS_PER_PASS)
    return np.array_split(points, min(n_parts, points.shape[1]), axis=1)
