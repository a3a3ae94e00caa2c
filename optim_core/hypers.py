"""The hyperparameters that several methods share, declared once."""

from __future__ import annotations

from dataclasses import replace

from optim_core.spec import Hyper, Interval

UNIT = Interval(0.0, 1.0)

LR = Hyper(
    "lr", r"\eta", 1e-3, Interval(0.0, open_low=True), 1e-5, 10.0, "log",
    "Learning rate: what each step is scaled by.", role="rate",
)  # fmt: skip
MOMENTUM = Hyper(
    "momentum", r"\beta", 0.9, UNIT, 0.0, 0.999, "one_minus",
    "Momentum: the share of the buffer that each step keeps (a sum, not an average).",
    "Polyak 1964", role="momentum",
)  # fmt: skip
RHO = Hyper(
    "rho", r"\rho", 0.99, UNIT, 0.0, 0.9999, "one_minus",
    "Decay rate of the running average of squared gradients: the share that each step keeps.",
    "Hinton 2012, lecture 6e",
)  # fmt: skip
BETA1 = Hyper(
    "beta1", r"\beta_1", 0.9, UNIT, 0.0, 0.999, "one_minus",
    "Decay rate of the running average of gradients: the share that each step keeps.",
    "Kingma & Ba 2015, Algorithm 1", role="momentum",
)  # fmt: skip
BETA2 = Hyper(
    "beta2", r"\beta_2", 0.999, UNIT, 0.0, 0.9999, "one_minus",
    "Decay rate of the running average of squared gradients: the share that each step keeps.",
    "Kingma & Ba 2015, Algorithm 1",
)  # fmt: skip
EPS = Hyper(
    "eps", r"\epsilon", 1e-8, Interval(0.0), 1e-12, 1.0, "log",
    "Small constant added outside the root, so that a zero gradient does not divide 0 by 0.",
)  # fmt: skip
WEIGHT_DECAY = Hyper(
    "weight_decay", r"\lambda", 1e-2, Interval(0.0), 0.0, 1.0, "linear",
    "Decoupled decay: each step takes the share lr times this away from the position.",
    "Loshchilov & Hutter 2019, Algorithm 2",
)  # fmt: skip
BIAS_CORRECTION = Hyper(
    "bias_correction", r"\hat{\ }", 1.0, Interval(0.0, 1.0, open_high=False), 0.0, 1.0, "switch",
    "Divide each average by the sum of its weights, which is below 1 as it started at zero.",
    "Kingma & Ba 2015, section 3",
)  # fmt: skip
SCALING = Hyper(
    "scaling", r"\sqrt{\hat v}", 1.0, Interval(0.0, 1.0, open_high=False), 0.0, 1.0, "switch",
    "Divide each coordinate's step by the root of its averaged squared gradient.",
    "Kingma & Ba 2015, Algorithm 1",
)  # fmt: skip
RATE_INSIDE = Hyper(
    "rate_inside", r"\eta_{\mathrm{in}}", 1.0, Interval(0.0, 1.0, open_high=False), 0.0, 1.0,
    "switch",
    "Multiply the gradient by the rate before it enters the buffer, and not the buffer as it "
    "leaves, which are two paths once the rate changes.",
    "Sutskever et al. 2013; torch.optim.SGD's note on its difference from it",
)  # fmt: skip


def default(hyper: Hyper, value: float) -> Hyper:
    """The same hyperparameter with a method's own default."""
    return replace(hyper, default=value)
