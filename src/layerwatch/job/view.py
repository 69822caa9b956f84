"""A tilted camera -> where each pixel of its frame looks on the bed, and images of the bed as the frame shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy.sparse import csr_array

from layerwatch.job.machine import Machine

_DISTANCE = 2.0  # of the camera from the bed's middle, in diagonals of the bed


@dataclass(frozen=True)
class View:
    """A pinhole camera over the middle of the bed, turned by the machine's tilt; the whole bed fills its frame."""

    machine: Machine

    @property
    def is_straight(self) -> bool:
        """The frame is the bed itself, pixel by pixel."""
        return self.machine.tilt == 0

    @cached_property
    def homography(self) -> Float64[np.ndarray, "3 3"]:
        """Bed (x, y, 1) in mm to frame (column, row, 1) in px, up to a factor; pixel (0, 0) has its centre at 0.5."""
        width, height = self.machine.bed[:2]
        tilt, distance = np.radians(self.machine.tilt), _DISTANCE * float(np.hypot(width, height))
        center = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
        turned = np.array([[1, 0, 0], [0, np.cos(tilt), 0], [0, np.sin(tilt), distance]])
        corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]).T
        seen = turned @ center @ corners
        seen = seen[:2] / seen[2]
        low, high = seen.min(1), seen.max(1)
        scale = float(np.min(np.array([self.machine.width, self.machine.height]) / (high - low)))
        shift = np.array([self.machine.width, self.machine.height]) / 2 - scale * (low + high) / 2
        return np.asarray(np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]]) @ turned @ center)

    def frame(self, image: Float32[np.ndarray, "h w"], outside: float) -> Float32[np.ndarray, "h w"]:
        """An image of the bed in the frame, between pixels by bilinear interpolation; ``outside`` beyond the bed."""
        if self.is_straight:
            return image
        weights, beyond = self._sampling
        return np.asarray((weights @ image.ravel()).reshape(image.shape) + np.float32(outside) * beyond, np.float32)

    def nearest(self, plan: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
        """A plan of the bed in the frame, by the nearest pixel; 0 beyond the bed."""
        if self.is_straight:
            return plan
        x, y = np.floor(self._bed_pixels + 0.5).astype(int)
        inside = (x >= 0) & (x < plan.shape[1]) & (y >= 0) & (y < plan.shape[0])
        found = plan[np.clip(y, 0, plan.shape[0] - 1), np.clip(x, 0, plan.shape[1] - 1)]
        return np.asarray(np.where(inside, found, 0).reshape(plan.shape), np.uint8)

    @cached_property
    def _bed_pixels(self) -> Float64[np.ndarray, "2 n"]:
        """Where each pixel of the frame looks, in pixels (x, y) of the bed counted from the centre of its first."""
        rows, columns = np.indices((self.machine.height, self.machine.width)).reshape(2, -1) + 0.5
        bed = np.linalg.inv(self.homography) @ np.stack([columns, rows, np.ones(columns.size)])
        return np.asarray(bed[:2] / bed[2] / self.machine.mm_per_px - 0.5)

    @cached_property
    def _sampling(self) -> tuple[csr_array, Float32[np.ndarray, "h w"]]:
        """Weights of the bed's pixels for each pixel of the frame, and the share of it that sees no bed."""
        h, w, (x, y) = self.machine.height, self.machine.width, self._bed_pixels
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        pixels, places, shares = [], [], []
        for dy in (0, 1):
            for dx in (0, 1):
                share = np.abs(1 - dx - (x - left)) * np.abs(1 - dy - (y - top))
                inside = (left + dx >= 0) & (left + dx < w) & (top + dy >= 0) & (top + dy < h)
                pixels.append(np.flatnonzero(inside))
                places.append(((top + dy) * w + left + dx)[inside])
                shares.append(share[inside].astype(np.float32))
        flat = (np.concatenate(pixels), np.concatenate(places))
        weights = csr_array((np.concatenate(shares), flat), shape=(h * w, h * w))
        seen = np.asarray(weights.sum(axis=1)).reshape(h, w)
        return weights, np.asarray(1 - seen, np.float32)
