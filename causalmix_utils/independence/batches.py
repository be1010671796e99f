"""Many tests at once: the statistics of the tests, on arrays.

A search asks for hundreds of thousands of small tests. One by one, almost all of the time goes into calling
functions; in batches, it goes into arithmetic.
"""

from __future__ import annotations

import numpy as np

RIDGE = 1e-10  # Keeps the solver from failing on singular blocks; far below any real variance.
DETERMINED = 1e-6  # Share of variance below which a variable counts as determined by others.


def gather_residuals(correlation: np.ndarray, pairs: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Covariances of some variables given others, for each row of indices; index -1 stands for "no variable".

    Parameters
    ----------
    correlation : ndarray of shape (n, n)
    pairs : ndarray of int, shape (k, a)
    given : ndarray of int, shape (k, w)

    Returns
    -------
    ndarray of shape (k, a, a)
        Rows and columns of absent variables are zero.
    """
    # A last row and column of zeros answers for the index -1.
    padded = np.pad(correlation, ((0, 1), (0, 1)))
    covariance = padded[pairs[:, :, None], pairs[:, None, :]]
    if given.shape[1] == 0:
        return covariance
    inner = padded[given[:, :, None], given[:, None, :]]
    places = np.arange(given.shape[1])
    inner[:, places, places] += np.where(given < 0, 1.0, RIDGE)
    cross = padded[given[:, :, None], pairs[:, None, :]]
    if given.shape[1] == 1:
        return covariance - cross.transpose(0, 2, 1) @ (cross / inner)
    return covariance - cross.transpose(0, 2, 1) @ np.linalg.solve(inner, cross)


def correlate_residuals(residuals: np.ndarray) -> np.ndarray:
    """Correlations from covariances of shape (k, 2, 2); NaN where one variable has no variance left."""
    variances = residuals[:, [0, 1], [0, 1]]
    left = (variances >= DETERMINED).all(axis=1)
    scale = np.sqrt(np.where(left[:, None], variances, 1.0).prod(axis=1))
    return np.where(left, residuals[:, 0, 1] / scale, np.nan)


def find_wilks(residuals: np.ndarray, n_x: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wilks' lambda of the first `n_x` variables against the others, and the ranks of both blocks.

    Parameters
    ----------
    residuals : ndarray of shape (k, a, a)
    n_x : int

    Returns
    -------
    wilks : ndarray of shape (k,)
    rank_x, rank_y : ndarray of int, shape (k,)
        Dimensions that have variance left. Zero where a block is determined.
    """
    whiten_x, rank_x = _whiten(residuals[:, :n_x, :n_x])
    whiten_y, rank_y = _whiten(residuals[:, n_x:, n_x:])
    cross = whiten_x.transpose(0, 2, 1) @ residuals[:, :n_x, n_x:] @ whiten_y
    canonical = np.linalg.svd(cross, compute_uv=False)
    wilks = np.prod(np.clip(1 - canonical**2, 1e-300, 1.0), axis=1)
    return np.maximum(wilks, 1e-300), rank_x, rank_y


def find_wilks_p_values(wilks: np.ndarray, p: np.ndarray, q: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Upper tails of Wilks' lambda for `p` against `q` columns, by Rao's F approximation.

    `degrees` are those of the residual covariance: rows - 1 - conditioning columns. NaN where a block is
    empty or there are too few rows.
    """
    from scipy.special import fdtrc

    p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    first = p * q
    size = p**2 + q**2 - 5
    wide = (size > 0) & (first > 0)
    power = np.sqrt(np.where(wide, (first**2 - 4) / np.where(wide, size, 1.0), 1.0))
    second = (degrees - (p + q + 1) / 2) * power - (first - 2) / 2
    valid = (first > 0) & (second > 0)
    first, second = np.where(valid, first, 1.0), np.where(valid, second, 1.0)
    root = wilks ** (1 / power)
    return np.where(valid, fdtrc(first, second, (1 - root) / root * second / first), np.nan)


def _whiten(covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrices W with W' C W = identity on the part of C that has variance left, zero elsewhere, and its rank."""
    eigenvalues, vectors = np.linalg.eigh(covariances)
    kept = eigenvalues > DETERMINED
    scale = np.where(kept, 1 / np.sqrt(np.where(kept, eigenvalues, 1.0)), 0.0)
    return vectors * scale[:, None, :], kept.sum(axis=1)
