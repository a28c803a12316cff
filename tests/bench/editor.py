"""The editor in a real browser: how soon a large flow can be edited, how smoothly it moves, how soon text is a picture."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Page, sync_playwright

from tests.bench.house import House
from tests.bench.processes import ROOT, BenchFailed
from tests.bench.table import Goal, Row, middle
from tests.e2e.waiting import until

MS = "ms"
NODE = "  - {{name: n{0}, handler: builtin:map, with: {{expr: 'payload'}}, peers: [{1}]}}\n"
HEAD = "organism: {name: large}\ntriggers:\n  - {name: start, type: manual, to: first}\nlisteners:\n"
ACROSS = 20  # nodes side by side; each leads to the one after it, and every third to that one's neighbour too
# The time of every frame is kept while the mouse moves.
FRAMES = """() => { window.__frames = []; let last = performance.now();
  const tick = (now) => { window.__frames.push(now - last); last = now; window.__raf = requestAnimationFrame(tick); };
  window.__raf = requestAnimationFrame(tick); }"""
# The node that is nearest to the middle of the window.
MIDDLE = """() => { const far = ([x, y]) => Math.hypot(x - innerWidth / 2, y - innerHeight / 2);
  return [...document.querySelectorAll('.react-flow__node')].map((node) => node.getBoundingClientRect())
    .filter((box) => box.width > 0).map((box) => [box.x + box.width / 2, box.y + box.height / 2])
    .sort((one, two) => far(one) - far(two))[0]; }"""
# Resolves when the first node shows the wanted words and that picture is painted; never waits for ever.
SHOWN = """([id, want]) => { window.__seen = new Promise((done, fail) => {
  const shows = () => document.querySelector(`.react-flow__node[data-id="${id}"]`)?.textContent.includes(want);
  const look = (from) => requestAnimationFrame(() => shows() ? setTimeout(() => done(performance.now() - from))
    : performance.now() - from > 5000 ? fail(new Error("the keystroke is not drawn")) : look(from));
  const began = () => look(performance.now());
  document.querySelector(".cm-content").addEventListener("keydown", began, { capture: true, once: true });
  setTimeout(() => fail(new Error("no keystroke came")), 8000); }); }"""
TAKEN = "() => { cancelAnimationFrame(window.__raf); return window.__frames.slice(2); }"


def large(count: int) -> str:
    """A flow of so many nodes in rows."""
    lines = [NODE.replace("n{0}", "first").format(0, ", ".join(f"n{n}" for n in range(ACROSS)))]
    for n in range(count - 1):
        after = [n + ACROSS, n + ACROSS + 1] if n % 3 == 0 else [n + ACROSS]
        lines.append(NODE.format(n, ", ".join(f"n{m}" for m in after if m < count - 1)))
    return HEAD + "".join(lines)


@contextmanager
def browser(house: House) -> Iterator[Page]:
    """Signed in as the owner of the bench's tenant."""
    chromium = chromium_path()
    with sync_playwright() as driver:
        program = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = program.new_context(viewport={"width": 1400, "height": 900}).new_page()
        page.set_default_timeout(20_000)
        page.goto(f"http://127.0.0.1:{house.port}/accounts/login/")
        page.fill("input[name=login]", "bench@example.org")
        page.fill("input[name=password]", house.password)
        page.click("button[type=submit]")
        page.wait_for_url("**/dashboard")
        try:
            yield page
        finally:
            program.close()


def chromium_path() -> str:
    argv = [sys.executable, str(ROOT / "scripts" / "find_chromium.py")]
    found = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    if not found:
        raise BenchFailed("there is no Chromium here")
    return found


def measure(house: House, rounds: int) -> list[Row]:
    """Rows of 300 and of 1,000 nodes."""
    small, big = (make(house, count) for count in (300, 1_000))
    with browser(house) as page:
        ready_of(page, house, small)  # the files of the editor are in the browser's cache then, as every day
        return [
            *of_flow(page, house, small, rounds, 300, {"ready": 1500, "pan": 17, "drag": 33}),
            *of_flow(page, house, big, rounds, 1_000, {"ready": 2500, "pan": 33}),
            typing(page, house, big, rounds),
        ]


def make(house: House, count: int) -> str:
    body = {"name": f"large-{count}", "organism_yaml": large(count)}
    made = house.api("POST", "/flows", json.dumps(body).encode(), Content_Type="application/json")
    return str(made["id"])


def ready_of(page: Page, house: House, flow: str) -> float:
    """Milliseconds from the address to the first node that can be taken hold of."""
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{house.port}/flow/{flow}")
    page.wait_for_selector(".react-flow__node", state="visible")
    until(page, "() => document.querySelectorAll('.react-flow__edge').length > 0")
    return (time.perf_counter() - began) * 1e3


def of_flow(
    page: Page, house: House, flow: str, rounds: int, count: int, goals: dict[str, float]
) -> list[Row]:
    ready = [ready_of(page, house, flow) for _ in range(rounds)]
    page.wait_for_timeout(500)
    moved = {"pan": [pan(page) for _ in range(rounds)], "drag": [drag(page) for _ in range(rounds)]}
    found = {"ready": ready, **moved}
    words = {"ready": "ready to edit", "pan": "panning, p95 of frames", "drag": "dragging, p95 of frames"}
    return [
        Row(
            f"editor, {count:,} nodes: {words[name]}",
            {MS: middle(values)},
            (Goal(MS, goals[name]),) if name in goals else (),
        )
        for name, values in found.items()
    ]


def pan(page: Page) -> float:
    box = page.locator(".react-flow__pane").bounding_box()
    if box is None:
        raise BenchFailed("the canvas is not there")
    # The middle button moves the canvas; the left one draws a selection.
    return moving(page, box["x"] + box["width"] - 40, box["y"] + box["height"] - 40, button="middle")


def drag(page: Page) -> float:
    x, y = page.evaluate(MIDDLE)
    return moving(page, x, y)


def moving(page: Page, x: float, y: float, *, button: Literal["left", "middle"] = "left") -> float:
    """The 95th percentile of the time between frames while the mouse drags from a place and back."""
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.evaluate(FRAMES)
    for at in [*range(40), *range(40, 0, -1)]:
        page.mouse.move(x - 4 * at, y - 2 * at)
    frames: list[float] = sorted(page.evaluate(TAKEN))
    page.mouse.up(button=button)
    if not frames:
        raise BenchFailed("no frame was drawn")
    return frames[int(len(frames) * 0.95)]


def typing(page: Page, house: House, flow: str, rounds: int) -> Row:
    """From a keystroke in the text to the node that shows it."""
    ready_of(page, house, flow)
    page.get_by_role("radio", name="Split").click()
    line = page.locator(".cm-line", has_text="name: first,")
    line.click()
    page.keyboard.press("Home")
    for _ in range((line.text_content() or "").index("'}") - 2):  # Home stops at the dash
        page.keyboard.press("ArrowRight")
    took = [one_key(page, number) for number in range(max(3, rounds))]
    return Row("editor, 1,000 listeners: keystroke to picture", {MS: middle(took)}, (Goal(MS, 150),))


def one_key(page: Page, number: int) -> float:
    """Type one letter into the first node's expression, which the node shows; the browser's own clock counts."""
    page.evaluate(SHOWN, ["first", "payload" + "z" * (number + 1)])
    page.keyboard.type("z")
    took: float = page.evaluate("() => window.__seen")
    page.wait_for_timeout(300)
    return took
