"""The catalogue: what is found, what cards say, where links lead, and the page as a whole in AppTest."""

from __future__ import annotations

import base64
import io
import re
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from descent.landscape import TAGS
from descent.registry import Family
from figures import Height
from figures.thumbnail import STAMP, bands, png
from figures.tree import Member, tree
from landscapes import LANDSCAPES, find
from lessons.situations import run
from optimizers import OPTIMIZERS
from optimizers import find as find_optimizer
from tests.session import opened as opened_at
from tests.session import settled
from ui import catalogue_card
from ui.catalogue import FAMILIES, HOME, ITEMS, Browse, from_address, link, race_link, race_of, to_address
from ui.gallery import html
from ui.language import catalogue as translations
from ui.race import from_query
from ui.race_controls import DEFAULT
from ui.thumbnails import ENOUGH, SHEETS, answer, place, sheets

opened = partial(opened_at, "catalogue")


# ---- the page ----------------------------------------------------------------------------------------------------


def shown(session: AppTest) -> str:
    """The cards' HTML."""
    (gallery,) = [c for c in session.get("bidi_component") if "descent_gallery" in c.proto.component_name]
    return gallery.proto.json if isinstance(gallery.proto.json, str) else str(gallery.proto)


def found(session: AppTest) -> list[str]:
    """The ids of the cards."""
    return re.findall(r'<article>.*?data-item=\\?"(\w+)', shown(session))


def written(session: AppTest) -> str:
    return "\n".join(element.value for element in session.markdown)


def test_the_page_opens_with_all_landscapes() -> None:
    session = opened()
    assert found(session) == list(LANDSCAPES)
    assert not session.warning and not dict(session.query_params.items())


def test_the_other_half_has_all_optimizers_and_their_tree() -> None:
    session = opened()
    settled(session.segmented_control(key="catalogue.show").set_value("optimizers").run())
    assert found(session) == list(OPTIMIZERS)
    assert shown(session).count("data-parent") == len(OPTIMIZERS)
    assert session.query_params["show"] == "optimizers"


def test_a_search_a_tag_and_a_family_narrow_it_down_and_travel_in_the_address() -> None:
    session = opened()
    settled(session.text_input(key="catalogue.search").set_value("start").run())
    searched = found(session)
    assert 1 < len(searched) < len(LANDSCAPES)
    settled(session.pills(key="catalogue.tag").set_value("saddle").run())
    tagged = found(session)
    assert tagged and set(tagged) < set(searched) and all("saddle" in LANDSCAPES[i].tags for i in tagged)
    settled(session.selectbox(key="catalogue.family.landscapes").set_value("saddles").run())
    assert found(session) and set(found(session)) < set(tagged)
    query = dict(session.query_params.items())
    assert query == {"search": "start", "tag": "saddle", "family": "saddles"}
    assert found(opened(**query)) == found(session)


def test_what_nothing_is_like_gets_a_friendly_sentence() -> None:
    session = opened(search="no such thing anywhere")
    assert found(session) == [] and "Try fewer words" in shown(session)


def test_a_deep_link_opens_the_card_of_one_item() -> None:
    session = opened(item="adam")
    text = written(session)
    assert "Kingma & Ba (2015)" in text and "2 numbers for each parameter" in text and "1 gradient" in text
    assert "corrected for starting from 0" in text
    assert session.latex[0].value.strip("$\n") == OPTIMIZERS["adam"].equations
    settled(session.button(key="catalogue.to.rmsprop").click().run())
    assert session.query_params["item"] == "rmsprop" and "Tieleman" in written(session)


@pytest.mark.parametrize("item", ITEMS)
def test_every_card_opens_in_both_languages(item: str) -> None:
    session = opened(item=item)
    assert ITEMS[item].reference in written(session)
    chinese = opened(item=item, lang="zh")
    said = getattr(ITEMS[item], "teaches", "") or getattr(ITEMS[item], "summary", "")
    assert translations("zh").gettext(said) in written(chinese)


def test_what_the_address_asks_for_and_is_not_there_is_named() -> None:
    session = opened(item="nosuch", tag="`x`", family="adam")
    assert found(session) == list(LANDSCAPES)
    (warning,) = session.warning
    assert all(word in warning.value for word in ("nosuch", "'x'", "adam", "quadratics"))


# ---- what is found -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("show", "search", "among"),
    [
        ("landscapes", "himmelblau", "himmelblau"),
        ("landscapes", "RAVINE", "rosenbrock"),
        ("landscapes", "峡谷", "rosenbrock"),
        ("landscapes", "goodfellow", "cliff"),
        ("landscapes", "freudenstein 1963", "freudenstein_roth"),
        ("optimizers", "kingma", "adam"),
        ("optimizers", "schedule_free", "schedule_free_sgd"),
        ("optimizers", "动量", "momentum"),
        ("optimizers", "look-ahead", "nadam"),
        ("optimizers", "2018", "amsgrad"),
    ],
)
def test_a_search_looks_through_all_that_is_written_in_both_languages(show: str, search: str, among: str) -> None:
    ids = [member.id for family in Browse(show, search).found() for member in family.members]
    assert among in ids and len(ids) < len(ITEMS) / 3


def test_ids_and_tags_are_found() -> None:
    for item in ITEMS:
        half = "landscapes" if item in LANDSCAPES else "optimizers"
        assert item in [m.id for family in Browse(half, item).found() for m in family.members]
    for tag in TAGS:
        assert [m.id for f in Browse(tag=tag).found() for m in f.members] == [
            i for i, landscape in LANDSCAPES.items() if tag in landscape.tags
        ]


@pytest.mark.parametrize(
    "browse",
    [
        Browse(),
        Browse("optimizers"),
        Browse("optimizers", "a & b=c?", family="adam"),
        Browse(search="山谷", tag="saddle", family="saddles"),
        Browse("optimizers", item="adam"),
        Browse(item="booth", tag="convex"),
    ],
)
def test_a_view_comes_back_from_its_address(browse: Browse) -> None:
    query = dict(parse_qsl(urlsplit(link("catalogue", to_address(browse))).query))
    assert from_address(query) == (browse, [])


def test_landscapes_and_optimizers_share_no_id() -> None:
    assert not LANDSCAPES.keys() & OPTIMIZERS.keys()
    assert HOME.keys() == {family.id for family in FAMILIES["optimizers"]}


def test_the_cards_are_small() -> None:
    """Each search sends all cards that it finds."""
    assert len(html(Browse()).encode()) < 64_000
    assert len(html(Browse("optimizers")).encode()) < 64_000


# ---- links into the race -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_links_open_the_right_race(item: Any) -> None:
    address = urlsplit(race_link(item, {"lang": "zh"}))
    assert (address.scheme, address.netloc, address.path) == ("", "", "race"), "relative: it holds behind a base path"
    race, notes = from_query(dict(parse_qsl(address.query)), DEFAULT)
    assert not notes and race == race_of(item)
    runners = [lane.optimizer for lane in race.lanes]
    if item.id in LANDSCAPES:
        assert race.landscape == item.id and len(runners) == 4
    else:
        assert runners == [item.id, item.parent] if item.parent else [item.id]


def test_every_link_is_on_its_card() -> None:
    for half, items in (("landscapes", LANDSCAPES), ("optimizers", OPTIMIZERS)):
        text = unescape(html(Browse(half)))
        assert all(race_link(item, {}) in text for item in items.values())


@pytest.mark.parametrize("item", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers_do_well_where_their_link_leads(item: Any) -> None:
    for spec in race_of(item).runs():
        trajectory = run(spec)
        assert trajectory.diverged_at < 0 and trajectory.loss[-1] < 0.5 * trajectory.loss[0], spec


# ---- cards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("landscape", "said"),
    [
        ("sphere", "(0, 0): 0"),
        ("hyperbolic_saddle", "none: the loss falls without end"),
        ("textbook_saddle", "local only: elsewhere the loss falls without end"),
        ("easom", "many higher ones"),
        ("product_valley", "a whole curve of minima"),
        ("rastrigin", "and 115 more"),
        ("rastrigin", "at the default knobs"),
        ("l1_ravine", "on a kink"),
        ("eggholder", "on the edge of the domain"),
    ],
)
def test_minima_are_told_honestly(landscape: str, said: str) -> None:
    assert said in catalogue_card.minima(LANDSCAPES[landscape])


@pytest.mark.parametrize(
    ("optimizer", "cost", "kept"),
    [
        ("sgd", "1 gradient", "nothing from step to step"),
        ("momentum", "1 gradient", "1 number for each parameter"),
        ("adam", "1 gradient", "2 numbers for each parameter"),
        ("sam", "2 gradients", "1 number for each parameter"),
        ("newton", "1 gradient, the Hessian", "nothing from step to step"),
        ("bfgs", "1 gradient, up to 41 losses", "a number for each pair of parameters"),
        ("lbfgs", "1 gradient, up to 41 losses", "22 numbers for each parameter"),
        ("adafactor", "1 gradient", "0.002 numbers for each parameter of a 1024 × 1024 matrix"),
        ("sophia", "1 gradient, at some steps 1 Hessian-vector product", "2 numbers for each parameter"),
        ("polyak", "1 gradient, 1 loss", "nothing from step to step"),
    ],
)
def test_costs_are_told_honestly(optimizer: str, cost: str, kept: str) -> None:
    rule = OPTIMIZERS[optimizer]
    assert catalogue_card.evaluates(rule).startswith(cost) and catalogue_card.memory(rule) == kept


# ---- thumbnails --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_landscape_has_a_thumbnail_that_shows_something(theme: str) -> None:
    pictures: dict[str, Any] = {}
    while len(pictures) < len(SHEETS):
        given = answer([name for name in SHEETS if name not in pictures], theme)
        assert sum(map(len, given.values())) < ENOUGH + 60_000
        pictures |= given
    for landscape in LANDSCAPES.values():
        sheet, row, rows = place(landscape)
        image = Image.open(io.BytesIO(base64.b64decode(pictures[sheet]))).convert("RGBA")
        assert image.size == (STAMP[0], rows * STAMP[1])
        stamp = np.asarray(image)[row * STAMP[1] : (row + 1) * STAMP[1]]
        levels = stamp.reshape(-1, 4)
        assert len(np.unique(levels, axis=0)) >= 6, landscape.id
        assert levels[:, 3].all(), f"{landscape.id} has holes"
    brightness = np.asarray(image.convert("L"), float)
    assert (brightness.mean() > 128) == (theme == "light")


def test_thumbnails_are_computed_once() -> None:
    assert sheets() is sheets() and answer(["nosuch"], "light") == {}


def test_bands_stand_upright_and_have_holes_where_there_is_no_number() -> None:
    y, x = np.mgrid[0:1:21j, 0:1:31j]
    z = np.where((x > 0.7) & (y > 0.7), np.nan, y)
    entries = bands(z, Height.of(z, False), (60, 40))
    assert entries.shape == (40, 60)
    assert entries[-1, 0] == 0 and entries[1, 0] > entries[-2, 0], "high y is up"
    image = np.asarray(Image.open(io.BytesIO(png(entries, "light"))).convert("RGBA"))
    assert image[0, -1, 3] == 0 and image[0, 0, 3] == 255 and image[-1, -1, 3] == 255


# ---- the tree ----------------------------------------------------------------------------------------------------


def test_the_tree_has_a_row_for_each_and_no_lines_that_cross() -> None:
    places, years = tree([Member(o.id, o.year, o.parent) for o in OPTIMIZERS.values()])
    by = {spot.id: spot for spot in places}
    assert [spot.row for spot in places] == list(range(len(OPTIMIZERS)))
    assert [year for year, _ in years] == sorted({o.year for o in OPTIMIZERS.values()})
    for spot in places:
        parent = OPTIMIZERS[spot.id].parent
        if parent is None:
            assert spot.depth == spot.up == 0
            continue
        assert spot.from_x == by[parent].x < spot.x <= 1.05
        assert spot.up == spot.row - by[parent].row > 0
        # Whom the line down from the parent passes stands to the right of it.
        between = places[by[parent].row + 1 : spot.row]
        assert all(other.x > spot.from_x for other in between)


def test_the_formulas_of_a_session_come_first_and_are_found() -> None:
    bowl = find("=x^2 + 3*y^2; name=My bowl")
    assert Browse().found([bowl])[0] == Family("own", "My formulas", (bowl,))
    for browse in (Browse(search="my BOWL"), Browse(search="3*y^2")):
        assert [family.id for family in browse.found([bowl])] == ["own"]
    for browse in (Browse(search="valley"), Browse(family="ravines")):
        assert "own" not in [family.id for family in browse.found([bowl])]
    cards = html(Browse(search="my bowl"), [bowl])
    assert cards.count("<article>") == 1 and 'href="build?landscape=%3Dx%5E2' in cards
    assert not bowl.is_surveyed, "nobody waits here for a survey"
    rule = find_optimizer("=delta: -lr*g; lr=0.1; name=My rule")
    assert [lane.optimizer for lane in race_of(rule).lanes] == [rule.id, "adam"]
    assert 'href="build?optimizer=%3Ddelta' in html(Browse("optimizers", "my rule"), [rule])
