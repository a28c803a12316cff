"""The editor at work in a real browser: what edits leave in memory, how soon text has one, clicks to a first flow."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import CDPSession, Page
from playwright.sync_api import Error as Refused

from tests.bench import work
from tests.bench.editor import MS, browser, make, ready_of
from tests.bench.house import House
from tests.bench.processes import BenchFailed, request
from tests.bench.table import Goal, Row, ends, middle

EDITS, WARM = 200, 25
# One round of edits as people make them; the flow is as long after it as before.
ROUND = ("d", "d", "ArrowRight", "ArrowLeft", "Control+d", "Delete", "Control+z", "Control+z")
# From the key on a chosen node to the text that says so, by the browser's own clock; never waits for ever.
WRITTEN = """(word) => { window.__written = new Promise((done, fail) => {
  const text = document.querySelector(".cm-content");
  const began = (event) => { const from = event.timeStamp;
    const all = { subtree: true, childList: true, characterData: true };
    new MutationObserver((_, watch) => { if (text.textContent.includes(word) === window.__had) return;
      watch.disconnect(); done(performance.now() - from); }).observe(text, all); };
  window.__had = text.textContent.includes(word);
  window.addEventListener("keydown", began, { capture: true, once: true });
  setTimeout(() => fail(new Error("the edit was not written")), 8000); }); }"""
# Every press of a button of the mouse, over all pages of the tab.
CLICKS = """addEventListener("pointerdown", (event) => event.isTrusted &&
  sessionStorage.setItem("clicks", String(1 + Number(sessionStorage.getItem("clicks")))), true);"""
COUNTED = "() => Number(sessionStorage.getItem('clicks'))"


def measure(house: House, rounds: int) -> list[Row]:
    usual, large = make(house, 100), make(house, 300)
    with browser(house) as page:
        return [
            heap(page, house, large, max(3, rounds // 2)),
            written(page, house, usual, max(10, rounds)),
            first_flow(page, house),
        ]


# -- memory ---------------------------------------------------------------------------------------------


def heap(page: Page, house: House, flow: str, rounds: int) -> Row:
    """The heap before and after, both times with what nobody needs any more collected."""
    grown, sizes = [], []
    for _ in range(rounds):
        ready_of(page, house, flow)
        page.locator('.react-flow__node[data-id="first"]').focus()
        edit(page, WARM)
        with devtools(page) as tools:
            before = held(tools)
            edit(page, EDITS)
            after = held(tools)
        sizes.append(after / 1e6)
        grown.append((after / before - 1) * 100)
    note = f"after them {middle(sizes):.1f} MB; the whole history is kept and can be undone"
    name = f"editor, 300 nodes: heap after {EDITS} edits"
    return Row(name, {"% more": middle(grown)}, (Goal("% more", 10),), note, ends={"% more": ends(grown)})


def edit(page: Page, count: int) -> None:
    for number in range(count):
        page.keyboard.press(ROUND[number % len(ROUND)])
        page.wait_for_timeout(10)


@contextmanager
def devtools(page: Page) -> Iterator[CDPSession]:
    tools = page.context.new_cdp_session(page)
    try:
        yield tools
    finally:
        tools.detach()


def held(tools: CDPSession) -> float:
    """Bytes of the page's heap that are in use."""
    for _ in range(3):  # what one collection frees may let the next one free more
        tools.send("HeapProfiler.collectGarbage")
    return float(tools.send("Runtime.getHeapUsage")["usedSize"])


# -- from the canvas to the text ------------------------------------------------------------------------


def written(page: Page, house: House, flow: str, rounds: int) -> Row:
    ready_of(page, house, flow)
    page.get_by_role("radio", name="Split").click()
    page.locator(".cm-line", has_text="name: first,").wait_for()
    page.locator('.react-flow__node[data-id="first"]').focus()
    took = [one_edit(page) for _ in range(rounds + 3)][3:]  # the first ones compile what does it
    goal = (Goal(MS, 16),)
    return Row("editor, 100 listeners: canvas edit to text", {MS: middle(took)}, goal, ends={MS: ends(took)})


def one_edit(page: Page) -> float:
    """Disable or enable the chosen node: the text says `disabled: true`, or does not any more."""
    page.evaluate(WRITTEN, "disabled: true")
    page.keyboard.press("d")
    took: float = page.evaluate("() => window.__written")
    page.wait_for_timeout(150)
    return took


# -- a first flow by mouse ------------------------------------------------------------------------------


def first_flow(page: Page, house: House) -> Row:
    """Webhook → code → output from the list of flows on, saved, started and called; each click is counted by the page."""
    page.context.add_init_script(CLICKS)
    page.goto(f"http://127.0.0.1:{house.port}/flows")
    page.evaluate("() => sessionStorage.setItem('clicks', '0')")
    try:
        drawn(page)
    except Refused as wrong:
        raise BenchFailed(f"the first flow was not made: {str(wrong)[:300]}") from None
    answered(page, house)
    clicks = page.evaluate(COUNTED)
    name = "first flow by mouse: webhook → code → output, saved and called"
    return Row(name, {"clicks": clicks}, (Goal("clicks", 12),), "from the list of flows to the answer")


def drawn(page: Page) -> None:
    """The webhook and its answer are there from the start; a function of the bundle goes into the wire between them."""
    page.get_by_role("link", name="New flow").first.click()
    page.locator("#name").click()
    page.keyboard.type("first")
    bundle = page.locator("#bundle")
    bundle.click()  # its list is the browser's own, where no page sees the second click
    bundle.select_option(label=work.SLUG)
    page.evaluate(
        "() => sessionStorage.setItem('clicks', String(1 + Number(sessionStorage.getItem('clicks'))))"
    )
    page.get_by_role("button", name="Create the flow").click()
    wire = page.locator(".react-flow__edge .react-flow__edge-interaction").first.bounding_box()
    if wire is None:
        raise BenchFailed("the new flow has no wire")
    page.mouse.click(wire["x"] + wire["width"] / 2, wire["y"] + wire["height"] / 2)
    page.get_by_role("region", name="Custom").locator(".ed-item[data-kind=code]").first.click()
    page.get_by_role("button", name="Save").click()
    page.locator(".ed-saved[data-save=saved]").wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Run now").click(timeout=60_000)
    page.locator('.react-flow__node[data-id="answer"] [data-run=success]').or_(
        page.locator('.react-flow__node[data-id="answer"][data-run=success]')
    ).first.wait_for(timeout=60_000)


def answered(page: Page, house: House) -> None:
    """The webhook that was drawn, called from outside."""
    place = house.hook("first", "first")
    status, answer = request(
        house.port, "POST", place.path, work.W1.body, {"Content-Type": "application/json"}
    )
    if status != 200 or not work.W1.right(answer):
        raise BenchFailed(f"the first flow answers {status} {answer[:200]!r}")
