"""The HTML report in a browser: report.py PAGES SCREENSHOTS.

PAGES holds mixed.html, hostile.html, large.html and in_sync.html, which tests/it/browser.rs writes. Needs the
package of requirements.txt and a Chromium (CHROMIUM, else /usr/bin/chromium). Prints what is wrong and fails; the
screenshots are for people to look at.
"""

import os
import pathlib
import sys

from playwright.sync_api import sync_playwright

PAGES, SHOTS = (pathlib.Path(it).resolve() for it in sys.argv[1:3])
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)
        print(f"WRONG: {what}")


def open_page(browser, name, **options):
    """A page, which must ask nobody for anything and complain about nothing."""
    context = browser.new_context(**options)
    page = context.new_page()
    url = (PAGES / f"{name}.html").as_uri()
    page.on("console", lambda it: check(False, f"{name}: console {it.type}: {it.text}"))
    page.on("pageerror", lambda it: check(False, f"{name}: {it}"))
    page.on("dialog", lambda it: (check(False, f"{name}: a dialog: {it.message}"), it.dismiss()))
    page.on("request", lambda it: check(it.url in (url, "data:,"), f"{name}: asks for {it.url}"))
    page.goto(url)
    return page


def shot(page, name):
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def shown(page):
    """What is not hidden, as the page says it of itself."""
    return page.evaluate(
        """() => [...document.querySelectorAll("[data-name]")].filter((it) => !it.hidden)
            .map(({dataset: {account, name, kinds, state}}) => ({account, name, kinds: (kinds || "").split(" "), state: state || "in_sync"}))"""
    )


def filter_by(page, account="", name="", kind="", state=""):
    page.select_option("#by-account", account)
    page.fill("#by-name", name)
    page.select_option("#by-kind", kind)
    page.select_option("#by-state", state)
    page.wait_for_timeout(100)


def filters(browser):
    page = open_page(browser, "mixed", viewport=WIDE)
    everything = shown(page)
    check(page.is_visible("#filter"), "the filter is there")
    check(page.get_attribute("#count", "aria-live") == "polite", "the count is read aloud")
    accounts = {it["account"] for it in everything}
    check(len(accounts) == 2, f"two accounts: {accounts}")
    account = sorted(accounts)[-1]
    cases = [
        dict(),
        dict(account=account),
        dict(name="MEDIA"),
        dict(name="function:b"),
        dict(kind="unmanaged"),
        dict(kind="missing", account=account),
        dict(state="unknown"),
        dict(account=account, name="billing", kind="changed"),
        dict(name="there is no such function"),
    ]
    for case in cases:
        filter_by(page, **case)
        expected = [
            it
            for it in everything
            if case.get("account", it["account"]) == it["account"]
            and case.get("name", "").lower() in it["name"]
            and (not case.get("kind") or case["kind"] in it["kinds"])
            and case.get("state", it["state"]) == it["state"]
        ]
        check(shown(page) == expected, f"{case} shows {len(shown(page))}, not {len(expected)}")
        text = page.inner_text("#count")
        check(text.startswith(f"{len(expected)} of {len(everything)} function"), f"{case}: {text}")
        some = len(expected) not in (0, len(everything))
        check(some or case in (cases[0], cases[-1]), f"{case} tells nothing: {len(expected)}")
    page.click("button[type=reset]")
    page.wait_for_timeout(100)
    check(shown(page) == everything, "`Show all` shows all")
    page.click("#close-all")
    check(page.locator(".target > details[open]").count() == 0, "`Close all` closes all")
    page.click("#open-all")
    check(page.locator(".target > details:not([open])").count() == 0, "`Open all` opens all")


def keyboard(browser):
    page = open_page(browser, "mixed", viewport=WIDE)
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.className"))
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        check(outline != "none", f"the focus is seen at {reached[-1]}")
    check(reached[0] == "skip", f"the first is the way past the head: {reached}")
    for it in ("by-account", "by-name", "by-kind", "by-state"):
        check(it in reached, f"the keyboard reaches {it}: {reached}")
    page.focus("#by-name")
    page.keyboard.type("media")
    page.wait_for_timeout(100)
    check(0 < len(shown(page)) < 10, "typing filters")
    summary = page.locator(".target:not([hidden]) > details > summary").first
    summary.focus()
    before = page.locator(".target:not([hidden]) > details[open]").count()
    page.keyboard.press("Enter")
    check(page.locator(".target:not([hidden]) > details[open]").count() != before, "Enter folds")


def structure(browser):
    page = open_page(browser, "mixed", viewport=WIDE)
    for it in ("header", "main", "footer", "h1", "[role=search]"):
        check(page.locator(it).count() == 1, f"one {it}")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("input, select, button")].filter((it) => !it.labels?.length && !it.textContent.trim()).length"""
    )
    check(unnamed == 0, f"{unnamed} controls have no name")
    levels = page.evaluate("() => [...document.querySelectorAll('h1, h2, h3, h4')].map((it) => Number(it.tagName[1]))")
    jumps = [(a, b) for a, b in zip(levels, levels[1:]) if b > a + 1]
    check(levels[0] == 1 and not jumps, f"headings go down one by one: {jumps}")
    dangling = page.evaluate(
        """() => [...document.querySelectorAll('a[href^="#"]')].map((it) => it.getAttribute("href")).filter((it) => !document.querySelector(it))"""
    )
    check(dangling == [], f"links lead somewhere: {dangling}")


CONTRAST = """() => {
  const parse = (text) => { const it = text.match(/[\\d.]+/g).map(Number); return it.length < 4 ? [...it.slice(0, 3), 1] : it; };
  const light = ([r, g, b]) => {
    const f = (it) => ((it /= 255) <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const color = parse(getComputedStyle(it).backgroundColor);
      if (color[3] > 0) return color;
    }
    return [255, 255, 255, 1];
  };
  const low = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.set(`${element.tagName}.${element.className}`, `${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
  }
  return [...low];
}"""


def no_overflow(page, what):
    width = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    check(width[0] <= width[1], f"{what}: {width[0]} wide on {width[1]}")


def looks(browser):
    for scheme in ("light", "dark"):
        page = open_page(browser, "mixed", viewport=WIDE, color_scheme=scheme)
        dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        check(dark == (scheme == "dark"), f"{scheme} is {scheme}")
        page.click("#open-all")
        low = page.evaluate(CONTRAST)
        check(low == [], f"{scheme}: too little contrast: {low}")
        no_overflow(page, scheme)
        shot(page, f"wide-{scheme}")
        phone = open_page(browser, "mixed", viewport=PHONE, color_scheme=scheme, is_mobile=True, has_touch=True, device_scale_factor=2)
        phone.evaluate("() => { for (const it of document.querySelectorAll('details')) it.open = true; }")
        no_overflow(phone, f"phone, {scheme}")
        phone.evaluate("() => { for (const it of document.querySelectorAll('details.fold')) it.open = false; }")
        shot(phone, f"phone-{scheme}")
        phone.screenshot(path=SHOTS / f"phone-{scheme}-top.png")
    for name in ("hostile", "in_sync", "large"):
        for viewport, what in ((WIDE, "wide"), (PHONE, "phone")):
            page = open_page(browser, name, viewport=viewport)
            no_overflow(page, f"{name}, {what}")
            page.screenshot(path=SHOTS / f"{name}-{what}.png")


def without_script(browser):
    page = open_page(browser, "mixed", viewport=WIDE, java_script_enabled=False)
    check(not page.is_visible("#filter"), "without a script there is no filter")
    closed = page.locator(".target > details:not([open]) > summary")
    for _ in range(closed.count()):
        closed.first.click()
    check(page.get_by_text("arn:aws:s3:::old").first.is_visible(), "a statement before is there")
    check(page.get_by_text("arn:aws:s3:::uploads").first.is_visible(), "and after")
    check(page.get_by_text("allow lambda:GetPolicy on this function").first.is_visible(), "a hint is there")
    shot(page, "wide-no-script")


def printed(browser):
    page = open_page(browser, "mixed", viewport=WIDE)
    page.click("#close-all")
    page.emulate_media(media="print")
    check(not page.is_visible("#filter"), "the filter is not printed")
    check(page.get_by_text("arn:aws:s3:::old").first.bounding_box()["height"] > 0, "what is closed is printed")


def large(browser):
    page = open_page(browser, "large", viewport=WIDE)
    everything = len(shown(page))
    check(everything == 10_000, f"{everything} functions")
    took = page.evaluate("() => performance.getEntriesByType('navigation')[0].loadEventEnd")
    start = page.evaluate("() => performance.now()")
    page.fill("#by-name", "fn-0999")
    page.wait_for_function("() => document.getElementById('count').textContent.startsWith('10 of')")
    filtered = page.evaluate("() => performance.now()") - start
    print(f"10,000 functions: loaded in {took:.0f} ms, filtered in {filtered:.0f} ms")
    check(took < 20_000 and filtered < 5_000, "a large page is usable")


def hostile(browser):
    page = open_page(browser, "hostile", viewport=WIDE)
    text = page.inner_text("main")
    check("</script><img src=x onerror=alert(1)>" in text, "what was given is shown as it is")
    check(page.locator("img, iframe, main script").count() == 0, "and is text")


with sync_playwright() as playwright:
    SHOTS.mkdir(parents=True, exist_ok=True)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    for part in (filters, keyboard, structure, looks, without_script, printed, large, hostile):
        part(browser)
    browser.close()
sys.exit(1 if wrong else 0)
