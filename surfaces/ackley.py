"""Ackley's function (Ackley 1987): a cone-shaped funnel under a lattice of dents."""

import numpy as np

from optim_core.spec import Pace, Point, Surface
from surfaces._stationary import mirrored

# e^(−0.2 √(½ r²)) = e^(−RATE r)
RATE = float(0.2 / np.sqrt(2.0))


def value(x: float, y: float) -> float:
    r = np.sqrt(x * x + y * y)
    cone: float = 20.0 * (1.0 - np.exp(-RATE * r))
    dents: float = np.exp(1.0) - np.exp(0.5 * (np.cos(2.0 * np.pi * x) + np.cos(2.0 * np.pi * y)))
    return cone + dents


def gradient(x: float, y: float) -> Point:
    """At the tip of the cone, where there is none, (0, 0)."""
    r = np.sqrt(x * x + y * y)
    pull = 20.0 * RATE * np.exp(-RATE * r) / (r + (r == 0.0))
    wave = np.pi * np.exp(0.5 * (np.cos(2.0 * np.pi * x) + np.cos(2.0 * np.pi * y)))
    return (
        pull * x + wave * np.sin(2.0 * np.pi * x),
        pull * y + wave * np.sin(2.0 * np.pi * y),
    )


def hessian(x: float, y: float) -> Point:
    """At the tip of the cone, where there is none, (0, 0, 0)."""
    r = np.sqrt(x * x + y * y)
    away, safe = r > 0.0, r + (r == 0.0)
    pull = 20.0 * RATE * np.exp(-RATE * r) / safe
    ease = pull * (RATE + 1.0 / safe) / safe
    wave = np.pi * np.pi * np.exp(0.5 * (np.cos(2.0 * np.pi * x) + np.cos(2.0 * np.pi * y)))
    s_x, s_y = np.sin(2.0 * np.pi * x), np.sin(2.0 * np.pi * y)
    c_x, c_y = np.cos(2.0 * np.pi * x), np.cos(2.0 * np.pi * y)
    return (
        away * (pull - ease * x * x + wave * (2.0 * c_x - s_x * s_x)),
        away * (-ease * x * y - wave * s_x * s_y),
        away * (pull - ease * y * y + wave * (2.0 * c_y - s_y * s_y)),
    )


# One eighth of the plane, 0 ≤ y ≤ x; the rest are mirror images.
MINIMA = (
    (0.9521665459501717, 0.0),
    (0.9684776587077244, 0.9684776587077244),
    (1.9589197181217175, 0.0),
    (1.9646166628629864, 0.9824160350791393),
    (1.9744519864841168, 1.9744519864841168),
    (2.964619443112052, 0.0),
    (2.9672595287625643, 0.9891541864816626),
    (2.973139419924383, 1.9821399503814776),
    (2.9792239546911445, 2.9792239546911445),
    (3.969466743351758, 0.0),
    (3.9709183150642833, 0.9927672061700448),
    (3.9745401784682053, 1.9873106146274968),
    (3.978924750768195, 2.9842137381272384),
    (3.983067699689763, 3.983067699689763),
)
SADDLES = (
    (0.6257806168564638, 0.0),
    (0.8747620388753442, 0.5774125352782147),
    (1.595028924072865, 0.9458984927015273),
    (1.6102960205537258, 0.0),
    (1.855976708974908, 0.5364972381119947),
    (1.916166848997128, 1.5674502528624068),
    (2.573348375179013, 1.945428381782402),
    (2.589549376978738, 0.9680482303983886),
    (2.596594634412216, 0.0),
    (2.8851118515292318, 0.5189618497903994),
    (2.911608280213094, 1.5451359020147897),
    (2.935272877505163, 2.5559684098950304),
    (3.558026515264566, 2.9521978342237634),
    (3.570490611291173, 1.962160602064671),
    (3.580534207635123, 0.9788488878373017),
    (3.5844832458196385, 0.0),
    (3.9062443377727134, 0.5115912404822113),
    (3.91877359298735, 1.5305524618431299),
    (3.9345594729869577, 2.541561531738352),
    (3.9485171069331195, 3.5460743745253556),
)
MAXIMA = (
    (0.6730965201107377, 0.6730965201107377),
    (1.6518481462014178, 1.6518481462014178),
    (1.7734451487084713, 0.5495858144229183),
    (2.6321721094024046, 2.6321721094024046),
    (2.686140883193064, 1.5918387131095149),
    (2.741595535410567, 0.5309764462842955),
    (3.6140494418225577, 3.6140494418225577),
    (3.6464994168857774, 2.5958669801266816),
    (3.683493447497067, 1.563402086118382),
    (3.7114582236566656, 0.5217905734230006),
)

SURFACE = Surface(
    key="ackley",
    name="Ackley",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-4.25, 4.25), (-4.25, 4.25)),
    start=(3.5, -1.58),
    pace=Pace(curvature=0.02, length=0.1),
    formula=(
        r"f(x, y) = 20 - 20\, e^{-0.2 \sqrt{(x^2 + y^2)/2}}"
        r" + e - e^{(\cos 2\pi x + \cos 2\pi y)/2}"
    ),
    about=(
        "Dozens of local minima around one deep one: from one start, methods end in different "
        "ones, by the dents that they jump over."
    ),
    source="Ackley 1987, A Connectionist Machine for Genetic Hillclimbing, Kluwer",
    minima=((0.0, 0.0), *mirrored(MINIMA)),
    saddles=mirrored(SADDLES),
    maxima=mirrored(MAXIMA),
    kinks=((0.0, 0.0),),
)
