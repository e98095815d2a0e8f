"""The race page in a browser, in the words of its users: for browser tests and benchmarks."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Locator, Page, WebSocket

READY = ".descent-stage[data-ready=all]"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"


class RacePage:
    """A page that shows a race, and what went over its websocket."""

    prefix = "race"  # of the keys of its controls

    def __init__(self, page: Page) -> None:
        self.page = page
        self.received = 0  # bytes, over all websockets of the page
        self.sent = 0
        self.stage = page.locator(".descent-stage")
        self.sidebar = page.get_by_test_id("stSidebar")
        self.ring = self.stage.locator(".start")
        self.live = self.stage.locator(".live input")
        self.clock = self.stage.locator(".clock")
        self.table = self.stage.locator("tbody")
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        def size(payload: str | bytes) -> int:
            return len(payload.encode() if isinstance(payload, str) else payload)

        def receive(payload: str | bytes) -> None:
            self.received += size(payload)

        def send(payload: str | bytes) -> None:
            self.sent += size(payload)

        socket.on("framereceived", receive)
        socket.on("framesent", send)

    def open(self, url: str) -> RacePage:
        """Go there, and wait until all three pictures are drawn and the server has nothing more to say."""
        self.page.goto(url)
        self.page.wait_for_selector(READY)
        return self.settle()

    def settle(self) -> RacePage:
        """Wait until the server has answered and does not begin anew at once, as when a fragment asks for the page."""
        idle = f"!!document.querySelector({IDLE!r})"
        self.page.wait_for_function(
            f"() => {idle} && new Promise((done) => setTimeout(() => done({idle}), 80))", polling=50
        )
        return self

    def query(self) -> dict[str, str]:
        """What the address asks for."""
        return dict(parse_qsl(urlsplit(self.page.evaluate("location.href")).query))

    # ---- what the stage says ----------------------------------------------------------------------------------------

    def says(self, name: str) -> str:
        """One of the stage's data-* attributes; empty if it has not got it."""
        return self.stage.get_attribute(f"data-{name}") or ""

    @property
    def draws(self) -> int:
        """How many messages were drawn."""
        return int(self.says("draws"))

    @property
    def step(self) -> int:
        """The step shown."""
        return int(self.says("step"))

    @property
    def playing(self) -> bool:
        return self.says("playing") == "true"

    def wait(self, condition: str, argument: object = None) -> None:
        """Wait until a JavaScript expression in ``stage`` (the element) and ``argument`` holds."""
        stage = "document.querySelector('.descent-stage')"
        self.page.wait_for_function(
            f"(argument) => {{ const stage = {stage}; return stage && ({condition}); }}", arg=argument
        )

    def wait_draws(self, more_than: int) -> None:
        """Wait until a message after the ``more_than``-th is drawn, and the server is done."""
        self.wait("Number(stage.dataset.draws) > argument", more_than)
        self.settle()

    def wait_step(self, step: int) -> None:
        """Wait until a step is shown."""
        self.wait("Number(stage.dataset.step) === argument", step)

    def picture(self, name: str) -> Locator:
        """A picture: "contour", "surface" or "loss"."""
        return self.stage.locator(f"[data-picture={name}]")

    def ink(self, name: str = "contour") -> str:
        """The runs as they are drawn in a picture: every pixel of its canvas, as a data URL."""
        return self.canvas(name).evaluate("canvas => canvas.toDataURL()")

    def canvas(self, name: str) -> Locator:
        """What the runs of a picture are drawn on, above what Plotly draws."""
        return self.picture(name).locator("> canvas")

    def in_plot(self, name: str, x: float, y: float) -> tuple[float, float]:
        """Where on the screen a point of a picture is, in shares of its plot from the left and from the bottom."""
        self.wait("stage.querySelector(`[data-picture=${argument}] > .plot`)?._fullLayout", name)
        left, top, width, height = self.picture(name).evaluate(
            """picture => {
                const { xaxis, yaxis } = picture.querySelector(".plot")._fullLayout;
                const { left, top } = picture.getBoundingClientRect();
                return [left + xaxis._offset, top + yaxis._offset, xaxis._length, yaxis._length];
            }"""
        )
        return left + x * width, top + (1 - y) * height

    # ---- what people do ------------------------------------------------------------------------------------------

    def do(self, action: str) -> Locator:
        """A button of the transport."""
        return self.stage.locator(f"[data-do={action}]")

    def widget(self, key: str) -> Locator:
        """A control of the sidebar by its key, such as "3.adam.learning_rate" or "steps"."""
        return self.page.locator(f".st-key-{self.prefix}-{key.replace('.', '-')}")

    def slider(self, key: str) -> Locator:
        """The part of a slider that keys move."""
        return self.widget(key).get_by_role("slider")

    def press(self, key: str, *keys: str) -> None:
        """Press keys on a slider, and wait for each time it is drawn."""
        slider = self.slider(key)
        for name in keys:
            before = self.draws
            slider.press(name)
            self.wait_draws(before)

    def choose_live(self, knob: str) -> Locator:
        """Choose what the live knob turns, by the key of its slider, and wait for its stops."""
        self.stage.locator(".live select").select_option(knob)
        self.wait_live()
        return self.live

    def wait_live(self) -> None:
        """Wait until the live knob can be dragged without asking anybody."""
        self.wait("stage.querySelector('.live').dataset.live === 'ready'")

    def choose(self, key: str, name: str) -> None:
        """Choose an option of a select box by the beginning of its name, and wait for the picture."""
        before = self.draws
        box = self.widget(key).get_by_role("combobox")
        box.click()
        box.fill(name)
        self.page.get_by_role("option").filter(has_text=name).first.click()
        self.wait_draws(before)


class MicroscopePage(RacePage):
    """A page that shows one run under the microscope."""

    prefix = "scope"

    @property
    def text(self) -> str:
        """The formulas and sentences with the numbers of the step shown."""
        return self.page.locator(".st-key-slots").inner_text()


class BuildPage(RacePage):
    """A page on which somebody builds a landscape or an optimizer."""

    prefix = "build"

    @property
    def understood(self) -> Locator:
        """What the page made of the formula: mathematics, or what is wrong."""
        return self.page.locator(".st-key-bench_understood")

    def field(self, label: str) -> Locator:
        """A field for text."""
        return self.page.get_by_role("textbox", name=label, exact=True)

    def type(self, label: str, text: str) -> None:
        """Replace the text of a field, and wait until what it says is drawn and explored."""
        before = self.draws
        self.field(label).fill(text)
        self.wait_draws(before)

    def settings(self) -> Locator:
        """The drawer with the settings, opened."""
        before = self.draws
        self.page.get_by_role("button", name="Settings").click()
        self.wait_draws(before)
        return self.page.get_by_test_id("stPopoverBody")
