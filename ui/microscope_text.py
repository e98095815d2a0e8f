"""The microscope's words: equations and sentences with slots, into which the stage writes the numbers of a step.

A slot is ``@name@``; the names are those of the series that `ui.microscope_stage` sends, and a few that the stage makes
of them. So the text is sent once, and follows the slider without asking the server.
"""

from __future__ import annotations

import numpy as np

import landscapes
import optimizers
from descent.hyper import fill
from descent.microscope import Anatomy, adapted, unified
from lessons.claims import measured
from ui.controls import text
from ui.language import _
from ui.microscope import Scope
from ui.microscope_stage import handed_apart, has_rest, scaled, shown_states


def slot(name: str) -> str:
    """A slot within LaTeX."""
    return rf"\text{{@{name}@}}"


def _column(*names: str) -> str:
    return r"\begin{pmatrix}" + r" \\ ".join(slot(name) for name in names) + r"\end{pmatrix}"


def _row(*names: str) -> str:
    return r"\left(" + r",\; ".join(slot(name) for name in names) + r"\right)"


def heading(scope: Scope) -> str:
    """Which step this is, as Markdown."""
    here, there = (rf"$\theta_{{{slot(name)}}}$" for name in ("k", "t"))
    name = _(optimizers.find(scope.lane.optimizer).name)
    return _("**{name}**, step @t@: from {here} to {there}").format(name=name, here=here, there=there)


def unified_form(scope: Scope, anatomy: Anatomy) -> str:
    """The step in the unified form, with its numbers; empty for a rule that has none."""
    if not unified(optimizers.find(scope.lane.optimizer), landscapes.find(scope.race.landscape)):
        return ""
    step, direction, rate = _column("ux", "uy"), _column("mx", "my"), slot("alpha")
    if scaled(anatomy):
        eps = np.nanmax(anatomy.eps, initial=0.0) > 0
        symbolic = r"\frac{\alpha_t}{\sqrt{G_t}" + (r"+\varepsilon" if eps else "") + r"}\, M_t"
        root = rf"\sqrt{{{_column('sx', 'sy')}}}" + (f"+{slot('eps')}" if eps else "")
        numbers = rf"\frac{{{rate}}}{{{root}}}\,{direction}"
    else:
        symbolic, numbers = r"\alpha_t\, M_t", rf"{rate}\,{direction}"
    rest, more = (r" + r_t", rf" \\ &\quad + {_column('rx', 'ry')}") if has_rest(anatomy) else ("", "")
    return rf"\begin{{aligned}}\Delta\theta_t &= -{symbolic}{rest} \\[4pt] {step} &= -{numbers}{more}\end{{aligned}}"


def own_numbers(scope: Scope, anatomy: Anatomy) -> str:
    """What the rule's own equations are about: gradient, state, step."""
    optimizer = optimizers.find(scope.lane.optimizer)
    gradient = ("hx", "hy") if handed_apart(scope) else ("gx", "gy")
    lines = [f"g_t &= {_row(*gradient)}"]
    for number, (name, values) in enumerate(shown_states(anatomy).items()):
        names = [f"s{number}{'abcd'[k]}" for k in range(values.shape[1])]
        if len(names) == 4:
            a, b, c, d = (slot(name) for name in names)
            matrix = rf"\begin{{pmatrix}}{a} & {b} \\ {c} & {d}\end{{pmatrix}}"
            lines.append(f"{optimizer.symbols[name]} &= {matrix}")
        elif len(names) == 1:
            lines.append(f"{optimizer.symbols[name]} &= {slot(names[0])}")
        else:
            lines.append(f"{optimizer.symbols[name]} &= {_row(*names)}")
    lines.append(rf"\Delta\theta_t &= {_row('ux', 'uy')}")
    return r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"


def notes_on_form(scope: Scope, anatomy: Anatomy) -> str:
    """What the unified form leaves unsaid of this rule."""
    optimizer = optimizers.find(scope.lane.optimizer)
    if landscapes.find(scope.race.landscape).slice and optimizer.terms:
        return _(
            "The plane is a slice here: M and G belong to all parameters, and have no numbers along x and y alone."
        )
    if optimizer.terms is None:
        return _("This rule has no unified form: no M and G of its own make up its step.")
    said = []
    if has_rest(anatomy):
        said.append(_("$r_t$ is the decoupled weight decay, which is no part of the unified form."))
    return " ".join(said)


def curvature(scope: Scope) -> str:
    """The surface at the point, as Markdown."""
    optimizer = optimizers.find(scope.lane.optimizer)
    lines = [
        _("At {here}: $L$ = @loss@, $\\|\\nabla f\\|$ = @gnorm@, @kind@; the surface @shape@.").format(
            here=rf"$\theta_{{{slot('k')}}}$"
        ),
        _("Hessian: $\\lambda$ = @l1@ and @l2@, the larger one at @phi@°; condition number $\\kappa$ = @kappa@."),
        _("Gradient descent is stable up to $2/\\lambda_{\\max}$ = @stable@; here $\\alpha_t$ = @alpha@ is @side@."),
    ]
    if adapted(optimizer):
        lines.append(_("This rule: sharpness @sharp@ in its own metric, limit $c/\\alpha$ = @limit@; it is @side2@."))
    else:
        lines.append(_("For this rule no such limit is known; the chart's dashed line is gradient descent's."))
    return "  \n".join(lines)


def claims(scope: Scope, anatomy: Anatomy) -> list[tuple[bool, str, str]]:
    """For each claim about this rule: does it hold here, the claim, and what was measured."""
    optimizer = optimizers.find(scope.lane.optimizer)
    hyper = fill(optimizer.hypers, scope.spec.hyper, optimizer.id)
    return [
        (result.holds, _(claim.sentence), _(claim.evidence).format(**{k: text(v) for k, v in result.numbers.items()}))
        for claim, result in measured(anatomy, optimizer, hyper)
    ]


def futures(anatomy: Anatomy, other: Anatomy) -> str:
    """How both futures fare, as Markdown."""
    ends = []
    for run in (anatomy.trajectory, other.trajectory):
        if run.diverged_at >= 0:
            ends.append(_("diverged at step {step}").format(step=int(run.diverged_at)))
        else:
            ends.append(_("loss {loss}").format(loss=text(float(run.loss[-1]))))
    now = _("At the step shown: loss @loss@, in the other future @glosses@.")
    return now + "  \n" + _("At the end: {one}; in the other future: {two}.").format(one=ends[0], two=ends[1])


def saddles() -> str:
    """What the study of random Hessians shows, and what it does not."""
    return _(
        "A critical point is a minimum only if the surface curves up in *every* direction: if its Hessian is positive "
        "definite. Of random symmetric matrices (normal entries, the Gaussian orthogonal ensemble) half are, in one "
        "dimension; in ten dimensions about 2 in 10¹⁴. The share falls like exp(−n² ln 3 / 4), not like the "
        "2⁻ⁿ of n coins, because eigenvalues repel each other (Dean & Majumdar, 2006): so a critical point in many "
        "dimensions is almost surely a saddle.  \n"
        "This is a model of Hessians, not a theorem about networks: theirs are not random matrices of this kind, and "
        "low losses favour minima. For random fields in many dimensions Bray & Dean (2007) show that critical points "
        "with many downward directions lie high, and Dauphin et al. (2014) find the same on small networks."
    )
