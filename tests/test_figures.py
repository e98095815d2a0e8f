"""Figures: valid for Plotly, true to scale, told apart by everybody, and unharmed by their way to the browser."""

from __future__ import annotations

import itertools
import json
import random
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from descent.field import field
from descent.landscape import Landscape
from figures import Height, contour, lane_styles, loss_curves, surface
from figures.style import PALETTE, RAMPS, STYLES, LaneStyle, style_number
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tests.stage_message import unpack
from ui.stage.payload import LEVELS, pack

ROOT = Path(__file__).resolve().parent.parent
ORDER = sorted(OPTIMIZERS, key=lambda name: OPTIMIZERS[name].look)
EVERY_LANDSCAPE = pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES.keys())


# Figures ---------------------------------------------------------------------------------------------------------


def drawn(landscape: Landscape) -> tuple[Any, Height, dict[str, Any], dict[str, Any]]:
    ground = field(landscape, resolution=33)
    height = Height.of(ground.z, landscape.height == "log")
    minima, saddles = landscape.critical_points()
    flat = contour(*ground, height, [m.point for m in minima], saddles, names=("low", "pass"), label="f", key="k")
    return ground, height, flat, surface(*ground, height, label="f")


@EVERY_LANDSCAPE
def test_plotly_accepts_the_pictures_of_a_landscape(landscape: Landscape) -> None:
    _, _, flat, solid = drawn(landscape)
    for figure, kinds in ((flat, ["contour", "scatter", "scatter"]), (solid, ["surface"])):
        assert [trace.type for trace in go.Figure(figure).data] == kinds


@pytest.mark.parametrize("logarithmic", [False, True])
def test_plotly_accepts_the_loss_curves(logarithmic: bool) -> None:
    figure = go.Figure(loss_curves(step="t", loss="f", logarithmic=logarithmic))
    assert figure.layout.yaxis.type == ("log" if logarithmic else "linear")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("t", "f")


def test_plotly_would_refuse_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no_such"):
        go.Figure({"data": [], "layout": {"no_such": 1}})


@EVERY_LANDSCAPE
def test_both_pictures_show_the_surface_at_one_scale(landscape: Landscape) -> None:
    ground, height, flat, solid = drawn(landscape)
    (x0, x1), (y0, y1) = landscape.domain
    sheet, hill = flat["data"][0], solid["data"][0]
    for axes in (flat["layout"], solid["layout"]["scene"]):
        assert axes["xaxis"]["range"] == pytest.approx([x0, x1], rel=1e-6)
        assert axes["yaxis"]["range"] == pytest.approx([y0, y1], rel=1e-6)
    assert sheet["z"].shape == (33, 33) and hill["z"].shape == (17, 17)
    np.testing.assert_array_equal(hill["z"], sheet["z"][::2, ::2])
    np.testing.assert_array_equal(hill["x"], ground.x[::2])
    assert sheet["z"].min() == 0 and sheet["z"].max() == pytest.approx(1)
    # Rows go along y: the point (x[i], y[j]) is at [j, i].
    shape = {hyper.name: hyper.default for hyper in landscape.hypers}
    for j, i in ((0, 5), (20, 3), (32, 32)):
        loss = float(landscape.fn(np.array([ground.x[i], ground.y[j]]), **shape))
        assert sheet["z"][j, i] == pytest.approx(float(height(np.array(loss))), abs=1e-3)


@EVERY_LANDSCAPE
def test_minima_and_saddles_are_marked(landscape: Landscape) -> None:
    _, _, flat, _ = drawn(landscape)
    minima, saddles = landscape.critical_points()
    for trace, name, points in zip(
        flat["data"][1:], ("low", "pass"), ([m.point for m in minima], saddles), strict=True
    ):
        assert trace["name"] == name
        assert list(zip(trace["x"], trace["y"], strict=True)) == list(points)


# Height ----------------------------------------------------------------------------------------------------------

FIELDS = {
    "bowl": np.linspace(-3, 3, 41) ** 2,
    "decades": np.geomspace(1e-8, 1e8, 41),
    "far from 0": 1e6 + np.linspace(0, 1, 41),
    "below 0": np.linspace(-7, -2, 41),
    "with holes": np.array([np.nan, 1.0, np.inf, 3.0, -np.inf, 2.0]),
    "level": np.full(5, 3.0),
    "nothing": np.array([np.nan, np.inf]),
    "one": np.array([0.25]),
}
SCALES = pytest.mark.parametrize(
    ("values", "logarithmic"),
    [pytest.param(v, log, id=f"{name}-{'log' if log else 'linear'}") for name, v in FIELDS.items() for log in (0, 1)],
)


@SCALES
def test_heights_of_a_field_lie_between_0_and_1(values: np.ndarray, logarithmic: bool) -> None:
    finite = values[np.isfinite(values)]
    heights = Height.of(values, logarithmic)(finite)
    assert (heights >= 0).all() and (heights <= 1 + 1e-12).all()
    if finite.size and np.ptp(finite) > 0:
        assert heights[finite.argmin()] == 0 and heights[finite.argmax()] == pytest.approx(1)


@SCALES
def test_height_rises_with_the_loss_and_can_be_undone(values: np.ndarray, logarithmic: bool) -> None:
    height = Height.of(values, logarithmic)
    losses = height.base + height.span * np.geomspace(1e-6, 3, 50)  # beyond the field too: paths leave it
    heights = height(losses)
    assert (np.diff(heights) > 0).all()
    again = [height.loss(h) for h in heights]
    np.testing.assert_allclose(again, losses, rtol=1e-9, atol=1e-9 * height.span)


def test_a_logarithmic_height_gives_low_ground_its_share() -> None:
    values = np.geomspace(1e-3, 1e3, 1_000)
    low, middle = Height.of(values, True)(np.array([1e-2, 1.0]))
    assert 0.05 < low < 0.3 and 0.4 < middle < 0.7
    assert Height.of(values, False)(np.array(1.0)) < 0.01
    assert Height.of(values, True)(np.array(-5.0)) == 0, "below the floor there is no logarithm"


@SCALES
def test_ticks_are_labelled_with_their_loss(values: np.ndarray, logarithmic: bool) -> None:
    height = Height.of(values, logarithmic)
    heights, labels = height.ticks()
    assert 1 <= len(heights) == len(labels) <= 9
    assert (np.diff(heights) > 0).all()
    assert all(-1e-9 <= h <= 1 + 1e-9 for h in heights)
    for h, label in zip(heights, labels, strict=True):
        assert float(label) == pytest.approx(height.loss(h), rel=6e-3, abs=1e-9)


@EVERY_LANDSCAPE
def test_every_landscape_has_several_ticks_that_read_differently(landscape: Landscape) -> None:
    _, height, _, _ = drawn(landscape)
    labels = height.ticks()[1]
    assert len(set(labels)) == len(labels) >= 3


def test_a_height_survives_json() -> None:
    height = Height.of(FIELDS["decades"], True)
    assert Height(**json.loads(json.dumps(height.to_json()))) == height


# Colours ---------------------------------------------------------------------------------------------------------


def linear(colour: str) -> np.ndarray:
    """Linear RGB of a hex colour."""
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(colour: str) -> np.ndarray:
    """(lightness, a, b) of a hex colour (Ottosson, 2020)."""
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return to_lab @ np.cbrt(to_cones @ linear(colour))


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2.2 defines it."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def backgrounds() -> dict[str, str]:
    """The page's background, light and dark, from Streamlit's configuration."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    return {name: theme[name]["backgroundColor"] for name in ("light", "dark")}


def test_colours_are_measured_rightly() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    np.testing.assert_allclose(oklab("#ffffff"), [1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(oklab("#ff0000"), [0.628, 0.225, 0.126], atol=1e-3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ramp_is_perceptually_uniform(theme: str) -> None:
    shares, colours = zip(*RAMPS[theme], strict=True)
    assert shares[0] == 0 and shares[-1] == 1
    np.testing.assert_allclose(np.diff(shares), 1 / (len(shares) - 1))
    points = np.array([oklab(c) for c in colours])
    lightness = np.diff(points[:, 0])
    assert (np.sign(lightness) == np.sign(lightness[0])).all()
    # A shade of 8 bits is up to 0.004 wide.
    np.testing.assert_allclose(lightness, lightness.mean(), atol=0.004)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.12)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_low_ground_has_nearly_the_colour_of_the_page(theme: str) -> None:
    low, high = (RAMPS[theme][i][1] for i in (0, -1))
    page = backgrounds()[theme]
    assert np.linalg.norm(oklab(low) - oklab(page)) < 0.1 < np.linalg.norm(oklab(high) - oklab(page))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("index", range(len(PALETTE)))
def test_a_line_stands_out_from_the_page(index: int, theme: str) -> None:
    """3:1 is what WCAG asks of graphics."""
    colour = PALETTE[index][("light", "dark").index(theme)]
    assert contrast(colour, backgrounds()[theme]) >= 3


@pytest.mark.parametrize("column", [0, 1], ids=["light", "dark"])
def test_no_two_colours_look_alike(column: int) -> None:
    for one, other in itertools.combinations([pair[column] for pair in PALETTE], 2):
        assert np.linalg.norm(oklab(one) - oklab(other)) > 0.09, (one, other)


# Runners ---------------------------------------------------------------------------------------------------------


def line(style: LaneStyle) -> tuple[Any, str]:
    """What tells runners apart for those who see no colours."""
    return style.dash, style.marker


def test_every_optimizer_has_a_look_of_its_own() -> None:
    """Its number stays its own when others come: a new optimizer takes the next."""
    looks = [optimizer.look for optimizer in OPTIMIZERS.values()]
    assert sorted(looks) == list(range(len(OPTIMIZERS))), f"the next is {max(looks) + 1}"
    assert [lane_styles(ORDER, [name]) for name in ORDER] == [[style_number(n)] for n in range(len(ORDER))]
    assert len({line(style_number(n)) for n in range(len(ORDER))}) == len(ORDER)


def test_the_numbered_styles_differ() -> None:
    assert STYLES == 504 and len({style_number(n) for n in range(STYLES)}) == STYLES


def random_races(fewest: int, most: int, count: int = 200) -> list[list[str]]:
    chance = random.Random(0)
    return [[chance.choice(ORDER) for _ in range(chance.randint(fewest, most))] for _ in range(count)]


def test_up_to_eight_runners_have_eight_colours() -> None:
    """Also if one runs twice, or two optimizers would have the same."""
    for race in [[], ORDER[:1] * 8, [ORDER[0], ORDER[8]], ORDER[::8][:8], *random_races(1, len(PALETTE))]:
        styles = lane_styles(ORDER, race)
        assert len({s.light for s in styles}) == len({s.dark for s in styles}) == len(race), race


def test_dash_and_marker_alone_tell_any_number_of_runners_apart() -> None:
    for race in [ORDER, ORDER[:1] * 24, ORDER[:12] * 2, *random_races(1, 8), *random_races(9, 24)]:
        assert len({line(style) for style in lane_styles(ORDER, race)}) == len(race), race


def test_an_optimizer_looks_the_same_in_every_race() -> None:
    """Dash and marker always; colour as long as nobody else has it, and of two that do the first keeps it."""
    for race in random_races(1, 12):
        styles = lane_styles(ORDER, race)
        for name in set(race):
            number, style = ORDER.index(name), styles[race.index(name)]
            rivals = {n for n in map(ORDER.index, race) if n % len(PALETTE) == number % len(PALETTE)}
            assert line(style) == line(style_number(number))
            assert (style == style_number(number)) == (number == min(rivals))
        own = {style_number(ORDER.index(name)) for name in set(ORDER) - set(race)}
        assert not own & set(styles), "nobody borrows the look of an optimizer that is not running"


def test_one_that_runs_twice_keeps_its_marker() -> None:
    assert len({style.marker for style in lane_styles(ORDER, ["adam"] * 5)}) == 1


def test_a_rule_of_ones_own_is_told_from_the_built_in_one() -> None:
    blues = {light for light, _dark in PALETTE[6:]}
    for name in ORDER:
        mine, theirs = lane_styles(ORDER, ["mine", name])
        assert not {mine.light, theirs.light} <= blues


def test_a_runner_that_is_no_optimizer_of_the_catalogue_gets_a_free_look() -> None:
    for race in (["mine"], ["mine", *ORDER[:7]], ["mine", "yours", "mine"]):
        styles = lane_styles(ORDER, race)
        assert len({line(style) for style in styles}) == len({style.light for style in styles}) == len(race)
        assert not set(styles[:1]) & {style_number(n) for n in range(len(ORDER))}


# The way to the browser ------------------------------------------------------------------------------------------


NUMBERS = {
    "none": np.zeros(0),
    "one": np.array([1.5]),
    "a path": np.cumsum(np.random.default_rng(0).normal(size=1_001)),
    "steps along an axis": np.random.default_rng(1).normal(size=(5, 7, 2)),
    "every size": np.concatenate([s * np.geomspace(1e-38, 3e38, 501) for s in (1, -1)]),
    "special": np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 3.4e38, -3.4e38, 1.0]),
    "a lost run": np.r_[np.linspace(0, 1, 10), np.full(10, np.nan)],
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_arrive_exactly_as_float32(name: str, dtype: Any) -> None:
    values = NUMBERS[name].astype(dtype) if NUMBERS[name].ndim != 2 else NUMBERS[name]
    arrived = unpack(pack({"a": values}))["a"]
    expected = values.astype(np.float32).reshape(-1)
    assert arrived.dtype == np.float32 and np.array_equal(arrived.view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_whole_numbers_arrive_as_such(dtype: Any) -> None:
    about = np.iinfo(dtype)
    values = np.array([[0, 1, about.max], [about.min, about.max, 7]], dtype)
    arrived = unpack(pack(values))
    assert arrived.dtype.kind in "iu"
    np.testing.assert_array_equal(arrived, values.ravel())


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3), (33, 33), (129, 129)], ids=str)
@pytest.mark.parametrize("kind", ["smooth", "rough", "extremes"])
def test_heights_arrive_within_half_a_level(shape: tuple[int, int], kind: str) -> None:
    rng = np.random.default_rng(2)
    x, y = np.meshgrid(np.linspace(0, 1, shape[1]), np.linspace(0, 1, shape[0]))
    heights = {"smooth": (x + y**2) / 2, "rough": rng.random(shape), "extremes": rng.integers(0, 2, shape) * 1.0}[kind]
    arrived = unpack(pack(heights.astype(np.float32)))
    assert arrived.shape == shape
    np.testing.assert_allclose(arrived, heights, rtol=0, atol=0.5 / LEVELS + 1e-7)
    # Seven hundred levels lie between two contour lines: nobody sees one.
    assert LEVELS >= 700 * 22


def test_holes_arrive_as_holes_and_the_rest_within_bounds() -> None:
    heights = np.array([[np.nan, 0.5, 1.0], [np.inf, 0.0, -np.inf], [-0.25, 1.25, 0.25]])
    arrived = unpack(pack(heights))
    np.testing.assert_allclose(arrived, [[np.nan, 0.5, 1], [np.nan, 0, np.nan], [0, 1, 0.25]], atol=0.5 / LEVELS)


def test_a_whole_message_arrives() -> None:
    message = {
        "words": {"hello": "你好", "none": None, "yes": True},
        "nested": [{"z": np.eye(3), "p": np.arange(5.0)}, (1, 2.5, [np.ones(1)])],
        "empty": {},
    }
    arrived = unpack(pack(message))
    assert arrived["words"] == message["words"] and arrived["empty"] == {}
    first, (one, half, (ones,)) = arrived["nested"]
    np.testing.assert_array_equal(first["z"], np.eye(3))
    np.testing.assert_array_equal(first["p"], np.arange(5))
    assert (one, half, list(ones)) == (1, 2.5, [1])


def test_packing_changes_nothing_that_it_packs() -> None:
    numbers, heights = np.linspace(0, 1, 9, dtype=np.float32), np.linspace(0, 1, 9, dtype=np.float32).reshape(3, 3)
    pack([numbers, heights])
    np.testing.assert_array_equal(numbers, np.linspace(0, 1, 9, dtype=np.float32))
    np.testing.assert_array_equal(heights.ravel(), numbers)


def test_a_surface_takes_few_bytes() -> None:
    """A smooth one less than one byte a point, against four as float32."""
    heights = drawn(LANDSCAPES["rosenbrock"])[2]["data"][0]["z"]
    assert len(pack(heights)) < heights.size * 1.5
