"""The daemon's page in a browser: page.py PAGE LAMBDA SCREENSHOTS.

PAGE is the page of a daemon in mode observe that keeps function f with the statement `a`; LAMBDA is its simulator.
Drift comes and goes there. Prints what is wrong and fails; the screenshots are for people to look at.
"""

import json
import os
import pathlib
import sys
import urllib.request

from playwright.sync_api import sync_playwright

PAGE, LAMBDA, SHOTS = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PATIENCE = 30_000
SHOTS.mkdir(parents=True, exist_ok=True)
wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)
        print(f"WRONG: {what}")


def somebody(method, path, body=None):
    """Somebody else changes the policy of f."""
    credential = "AWS4-HMAC-SHA256 Credential=other/20260101/us-east-1/lambda/aws4_request"
    request = urllib.request.Request(
        f"{LAMBDA}/2015-03-31/functions/f/policy{path}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"authorization": credential, "content-type": "application/json"},
    )
    urllib.request.urlopen(request).read()


def grant():
    principal = "210987654321"
    somebody("POST", "", {"StatementId": "rogue", "Action": "lambda:InvokeFunction", "Principal": principal})


def revoke():
    somebody("DELETE", "/rogue")


def open_page(browser, path="", **options):
    """A page that asks nobody but the daemon and complains about nothing."""
    page = browser.new_context(**options).new_page()
    # What is said of a daemon that does not answer is no complaint about the page.
    page.on("console", lambda it: check("ERR_INTERNET_DISCONNECTED" in it.text, f"console {it.type}: {it.text}"))
    page.on("pageerror", lambda it: check(False, f"{it}"))
    page.on("request", lambda it: check(it.url.startswith((PAGE, "data:,")), f"asks for {it.url}"))
    page.goto(PAGE + path)
    return page


def live(browser):
    page = open_page(browser, viewport=WIDE)
    page.get_by_text("as written", exact=True).first.wait_for(timeout=PATIENCE)
    search = page.locator("input[type=search], input[name=q]").first
    search.fill("thumb")
    search.focus()
    loaded = page.evaluate("window.loaded = performance.timeOrigin")
    grant()
    page.get_by_text("rogue").first.wait_for(timeout=PATIENCE, state="attached")
    check(search.input_value() == "thumb", "what was typed is lost when the page is renewed")
    focused = page.evaluate("document.activeElement.name || document.activeElement.id")
    check(focused in ("q", search.get_attribute("id")), f"the focus is lost: {focused}")
    check(page.evaluate("window.loaded") == loaded, "the page was loaded anew")
    details = page.locator("main details", has_text="rogue").first
    if details.get_attribute("open") is None:
        details.locator("summary").first.click()
    page.screenshot(path=SHOTS / "page-wide.png", full_page=True)
    page.wait_for_timeout(2500)
    check(details.get_attribute("open") is not None, "what was opened is closed when the page is renewed")
    revoke()
    page.locator("main article", has_text="rogue").first.wait_for(timeout=PATIENCE, state="detached")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=SHOTS / "page-dark.png", full_page=True)
    page.context.set_offline(True)
    page.get_by_text("no answer since").wait_for(timeout=PATIENCE)


def phone(browser):
    page = open_page(browser, viewport=PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    check(width <= PHONE["width"], f"scrolls sideways on a phone: {width}")
    page.screenshot(path=SHOTS / "page-phone.png", full_page=True)


def keyboard(browser):
    page = open_page(browser, viewport=WIDE)
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    check((first or "").startswith("#"), f"the first stop is no way past the head: {first}")
    for landmark in ("main", "h1"):
        check(page.locator(landmark).count() == 1, f"not one {landmark}")
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input, select, button')]"
        ".filter(it => !it.labels?.length && !it.textContent && !it.ariaLabel && it.type !== 'hidden').length"
    )
    check(unnamed == 0, f"{unnamed} fields without a name")


def without_script(browser):
    page = open_page(browser, "?q=function:f", viewport=WIDE, java_script_enabled=False)
    check("123456789012" in page.locator("main").inner_text(), "nothing without JavaScript")
    check(page.locator("main").get_by_text("f", exact=True).count() > 0, "the search does not find f")
    page.goto(PAGE + "?q=nothing-has-this-name")
    check(page.locator("main article").count() == 0, "the search finds what is not there")
    page.screenshot(path=SHOTS / "page-no-script.png", full_page=True)


with sync_playwright() as playwright:
    # As root it has no sandbox of its own.
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    for step in (without_script, keyboard, phone, live):
        step(browser)
    browser.close()
print(f"{len(wrong)} wrong")
sys.exit(bool(wrong))
