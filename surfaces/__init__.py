"""Analytic loss surfaces. One file a surface; each declares SURFACE; nothing else is needed."""

import sys

from optim_core.discovery import declared
from optim_core.spec import Surface

# From simple to wild: by dimension, then by how many stationary points are known.
SURFACES: dict[str, Surface] = {
    surface.key: surface
    for surface in sorted(
        declared(sys.modules[__name__], "SURFACE", Surface),
        key=lambda s: (s.dim, len(s.minima) + len(s.saddles) + len(s.maxima), s.key),
    )
}
