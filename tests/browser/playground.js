// Uses the playground of the built book as a reader does: opened as a file, with a mouse, with only the keyboard, on a phone.
// Run by scripts/browser-test.sh.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { check, launch, report, watch } from "./browser.js";

const book = fileURLToPath(new URL("../../docs/book", import.meta.url));

// True once the first step is shown, or an error that says why there's none.
const READY = () => {
  const root = document.querySelector("#play-here")?.shadowRoot;
  return root?.querySelector("#count")?.textContent || root?.querySelector("#error")?.textContent;
};

async function playground(browser) {
  const address = pathToFileURL(join(book, "playground.html")).href;
  const trouble = [];

  async function open(hash = "", { width = 1366, height = 900, theme = "light" } = {}) {
    const page = await browser.newPage({ viewport: { width, height } });
    watch(page, trouble);
    await page.addInitScript((theme) => localStorage.setItem("mdbook-theme", theme), theme);
    await page.goto(address + hash);
    await page.waitForFunction(READY);
    return page;
  }

  // What the page says, as a reader sees it.
  const text = (page, id) => page.locator(`#play-here #${id}`).textContent();
  const codes = (page, id) => page.locator(`#play-here #${id} code`).allTextContents();
  const choose = (page, name) => page.getByRole("radio", { name, exact: true }).check();
  const fill = (page, id, value) => page.locator(`#play-here #${id}`).fill(value);
  const end = (page) => page.locator("#play-here #last").click();

  // ---- A situation, and every framing ----

  let page = await open();
  check("it begins with the first situation", (await text(page, "about")).startsWith("Two sends"));
  check("which has its settings", (await page.locator("#play-here #late").isChecked()) && (await page.locator("#play-here #cut").inputValue()) === "sends");
  check("nothing has arrived at the first step", (await text(page, "made")) === "It hasn't received anything yet.");
  const hidden = page.locator("#play-here g.step.later, #play-here #list .later, #play-here .picture details");
  const seen = await hidden.evaluateAll((all) => all.filter((each) => getComputedStyle(each).visibility === "visible" && getComputedStyle(each).display !== "none").length);
  check("what hasn't happened yet doesn't show", (await hidden.count()) > 4 && seen === 0, seen);
  await end(page);
  check("case 1: one recv takes both", (await codes(page, "came")).join() === "hellohi", (await codes(page, "came")).join());
  check("case 1: that isn't what was sent", (await text(page, "verdict")).startsWith("✗ 2 messages sent, 1 received"), await text(page, "verdict"));
  for (const [name, bytes] of [["Length prefix", 15], ["Big-endian prefix", 15], ["Line feed", 9], ["JSON header", 43], ["Length, then OK", 9]]) {
    await choose(page, name);
    for (const cut of ["*", "1", "3,1"]) {
      await fill(page, "cut", cut);
      await end(page);
      // One byte at a time, the two lengths still have one digit each.
      check(`${name}, cut ${cut}: the messages come out`, (await codes(page, "came")).join() === "hello,hi", (await codes(page, "came")).join());
      check(`${name}, cut ${cut}: the verdict says so`, (await text(page, "verdict")).startsWith("✓"), await text(page, "verdict"));
    }
    const cells = await page.locator("#play-here #strip button").count();
    check(`${name}: every byte is there`, cells === bytes, cells);
  }
  await choose(page, "Length prefix");
  await page.locator("#play-here #late").uncheck();
  await fill(page, "cut", "*");
  await page.locator("#play-here #strip button").nth(2).click();
  check("a click on a byte cuts after it", (await page.locator("#play-here #cut").inputValue()) === "3,*");
  await page.locator("#play-here #first").click();
  for (let step = 0; step < 4; step++) await page.locator("#play-here #next").click();
  check("step by step: what the decoder keeps", (await codes(page, "kept")).join(" ") === "05 00 00", (await codes(page, "kept")).join(" "));
  check("step by step: what it waits for", (await text(page, "made")).includes("3 of 4 bytes of the length prefix"), await text(page, "made"));
  const place = await text(page, "count");
  await choose(page, "Big-endian prefix");
  check("another framing doesn't lose the place", (await text(page, "count")) === place, await text(page, "count"));
  await choose(page, "Length prefix");
  await page.locator("#play-here #strip button").nth(2).click();
  check("another click takes the cut away", (await page.locator("#play-here #cut").inputValue()) === "*");
  await page.locator("#play-here #strip button").last().click();
  check("after the last byte, there's nothing to cut off", (await page.locator("#play-here #cut").inputValue()) === "*");
  await choose(page, "None");
  await page.locator("#play-here #late").check();
  await fill(page, "cut", "sends");
  await end(page);
  check("late: what arrived in two pieces comes in one recv", (await codes(page, "came")).join() === "hellohi", (await codes(page, "came")).join());
  await page.locator("#play-here #late").uncheck();
  await end(page);
  check("early: each piece has its recv", (await codes(page, "came")).join() === "hello,hi", (await codes(page, "came")).join());
  const before = await text(page, "count");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  check("after a click on a framing, the arrows step", (await text(page, "count")).startsWith("2 of") && (await page.locator("#play-here [value=none]").isChecked()), before);
  check("the situation's text stays", (await text(page, "about")).startsWith("Two sends"));
  check("and the menu says that the settings were changed", (await page.locator("#play-here #situation option:checked").textContent()) === "Two messages, one recv (changed)");
  await choose(page, "Length prefix");

  // ---- Mistakes ----

  await page.evaluate(() => {
    const { encode } = TextEncoder.prototype;
    TextEncoder.prototype.encode = function () {
      TextEncoder.prototype.encode = encode;
      throw new Error("broken for once");
    };
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = (...module) => instantiate(...module).then((instance) => ((window.engines = (window.engines ?? 0) + 1), instance));
  });
  await fill(page, "messages", "hello");
  check("if the engine fails, the page says so", (await text(page, "error")).includes("broken for once"), await text(page, "error"));
  await page.waitForFunction(() => window.engines === 1); // a new one has started
  await fill(page, "messages", "hello\nhi");
  check("and the next question is answered", (await text(page, "error")) === "", await text(page, "error"));

  for (const [field, wrong, right, says] of [["cut", "0", "*", "expected *"], ["reads", "many", "4294967295", "expected a size"], ["messages", "\\q", "hello\nhi", "after a backslash"]]) {
    await fill(page, field, wrong);
    check(`${field} "${wrong}": it says what was expected`, (await text(page, "error")).includes(says), await text(page, "error"));
    const marked = await page.locator("#play-here [aria-invalid=true]").evaluateAll((all) => all.map((each) => each.id).join());
    const described = await page.locator("#play-here [aria-describedby^=error]").evaluateAll((all) => all.map((each) => each.id).join());
    check(`${field} "${wrong}": this field is marked, and described by the mistake`, marked === field && described === field, `${marked} ${described}`);
    await fill(page, field, right);
    check(`${field}: no mistake, no complaint`, (await text(page, "error")) === "");
  }

  // ---- Recordings, and addresses ----

  const settings = page.url();
  await page.locator("#play-here #situation").selectOption("a-long-answer-and-a-small-buffer");
  const client = async () => ((await text(page, "decoder-heading")) === "What the client makes of it" ? codes(page, "came") : []);
  for (let steps = 0; steps < 18 && (await client()).length < 2; steps++) await page.locator("#play-here #next").click();
  check("a recorded run: the client's second recv", (await client())[1]?.startsWith("swer\\nthis is line 4"), await client());
  await choose(page, "Line feed");
  await page.locator("#play-here #copy").click();
  const changed = page.url();
  check("a recorded run has times", (await text(page, "facts")).includes("ms"), await text(page, "facts"));
  await page.locator("#play-here #files").setInputFiles(join(book, "playground", "runs", "tcp.trace"));
  await page.waitForFunction(() => document.querySelector("#play-here").shadowRoot.querySelector("#situation").value === "");
  await end(page);
  check("a reader's own recording", (await page.locator("#play-here .picture").count()) === 2);
  await page.locator("#play-here #files").setInputFiles({ name: "no.trace", mimeType: "text/plain", buffer: Buffer.from("nothing\n") });
  await page.locator("#play-here #error:not(:empty)").waitFor();
  check("what isn't a recording is refused", (await text(page, "error")).includes("no.trace, line 1"), await text(page, "error"));
  check("and what was open stays as it was", (await page.locator("#play-here .picture").count()) === 2 && (await page.locator("#play-here .stale").count()) === 0);
  check("a reader's own recording isn't in the address", new URL(page.url()).hash === "", page.url());
  await page.close();

  page = await open("#a-good-day");
  await page.locator("#play-here #copy").click();
  check("the link of a situation is its name", new URL(page.url()).hash === "#a-good-day", page.url());
  await fill(page, "cut", "1");
  await page.reload();
  await page.waitForFunction(READY);
  check("a changed situation comes back with its text", (await text(page, "about")).startsWith("Each send arrives by itself") && (await page.locator("#play-here #cut").inputValue()) === "1", page.url());
  await page.close();

  page = await open(new URL(settings).hash);
  check("an address holds the settings", (await page.locator("#play-here #messages").inputValue()) === "hello\nhi");
  check("and the framing", await page.locator("#play-here [value=prefix]").isChecked());
  await page.close();

  page = await open(new URL(changed).hash);
  check("and a recording's framing", await page.locator("#play-here [value=lines]").isChecked(), changed);
  check("and which recording", (await text(page, "situation option:checked")).startsWith("A long answer and a small buffer"), changed);
  await page.locator("#play-here #below").scrollIntoViewIfNeeded();
  await page.evaluate(() => scrollBy(0, 300));
  const { y } = await page.locator("#play-here .controls").boundingBox();
  check("the buttons stay in sight", y >= 0 && y < 120, y);
  await page.close();

  // A change that makes the run shorter for a moment, as typing does, doesn't throw the reader to its end.
  page = await open("#a-good-day");
  await fill(page, "cut", "1");
  for (let step = 0; step < 12; step++) await page.locator("#play-here #next").click();
  for (const cut of ["*", "1"]) await fill(page, "cut", cut);
  check("a shorter run in between doesn't lose the place", (await text(page, "count")).startsWith("13 of"), await text(page, "count"));
  await page.goto(address + "#two-messages-one-recv");
  await page.goto(address + "#a-good-day");
  await fill(page, "cut", "1");
  await page.goBack();
  check("Back shows what was there before", (await text(page, "about")).startsWith("Two sends"));
  await page.close();

  page = await open("", { width: 390, height: 450 });
  const folded = () => page.locator("#play-here #settings").evaluate((settings) => !settings.open);
  check("on a phone, the settings are folded", await folded());
  await page.close();
  page = await open("#an-order-desk-that-sticks", { width: 390 });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve)))));
  const menu = await page.locator("#mdbook-menu-bar").boundingBox();
  check("a link to a situation leaves the book's menu on top", menu.y <= 0, menu.y);
  await page.close();
  page = await open("", { width: 390, height: 450 });
  await page.locator("#play-here summary").first().click();
  await page.locator("#play-here #cut").focus();
  const still = await page.locator("#play-here #cut").boundingBox();
  await page.keyboard.type(",");
  const typed = await page.locator("#play-here #cut").boundingBox();
  const below = await page.locator("#play-here #error").boundingBox();
  check("a mistake is said below its field, and the field stays where it is", still.y === typed.y && below.y > typed.y && below.y - typed.y < 200, JSON.stringify([still, typed, below]));
  await page.setViewportSize({ width: 1000, height: 450 });
  await page.setViewportSize({ width: 390, height: 450 });
  check("a turned phone doesn't fold the settings under somebody who types", !(await folded()));
  await page.keyboard.press("Backspace");
  await page.locator("#play-here #next").click();
  await page.setViewportSize({ width: 844, height: 390 });
  const rows = () => page.locator("#play-here .picture svg").count();
  await page.waitForFunction(() => document.querySelector("#play-here").shadowRoot.querySelectorAll(".picture svg").length === 1);
  check("a turned phone keeps the place", (await text(page, "count")).startsWith("2 of"), await text(page, "count"));
  await page.setViewportSize({ width: 340, height: 844 });
  await page.waitForFunction(() => [...document.querySelector("#play-here").shadowRoot.querySelectorAll(".picture .window")].every((each) => each.scrollWidth <= each.clientWidth));
  check("and its pictures fit, turned back", (await rows()) > 1, await rows());
  await page.close();

  const ids = [...readFileSync(join(book, "playground.html"), "utf8").matchAll(/<h3 id="([^"]+)"/g)].map(([, id]) => id);
  check("the page has situations", ids.length > 28, ids.length);
  page = await open("", { width: 390 });
  for (const id of ids) {
    await page.evaluate((id) => (location.hash = id), id);
    await page.waitForFunction((id) => document.querySelector("#play-here").shadowRoot.querySelector("#situation").value === id, id);
    check(`${id}: can be shown`, (await text(page, "error")) === "" && (await text(page, "count")).startsWith("1 of"), await text(page, "error"));
    await end(page);
    const wide = await page.locator("#play-here .picture .window").evaluateAll((all) => all.filter((each) => each.scrollWidth > each.clientWidth).length);
    check(`${id}: on a phone, no picture is wider than the window`, wide === 0, wide);
  }
  await page.close();

  const FRAMING = "expected an address that sets framing";
  for (const [hash, says] of [["#framing=bogus", FRAMING], ["#framing=constructor", FRAMING], ["#framing=none&x=1", FRAMING], ["#messages=hi", FRAMING], ["#framing=none&framing=\"]", FRAMING], ["#framing=none&messages=%", ""], ["#%", ""], ["#%E0%A4%A", ""], ["#framing=prefix&cut=bad", "expected *"], ["#situation=two-clients-of-one-server&framing=prefix&connection=99", "from 0 to 1, got 99"], ["#situation=two-clients-of-one-server&framing=prefix&connection=-1", FRAMING], ["#situation=a-good-day&framing=none&late=yes", FRAMING], ["#situation=a-good-day", FRAMING]]) {
    page = await open(hash);
    const error = await text(page, "error");
    check(`the address ${hash} shows a run, and says what's wrong`, (await text(page, "count")).startsWith("1 of") && (says ? error.includes(says) : error === ""), error);
    await page.close();
  }
  page = await open("#where-a-message-ends");
  check("an address can be another heading of the page", await page.locator("#where-a-message-ends").evaluate((heading) => Math.abs(heading.getBoundingClientRect().top) < innerHeight));
  await page.close();
  page = await browser.newPage();
  await page.goto(pathToFileURL(join(book, "print.html")).href);
  await page.locator("#play-here").waitFor({ state: "attached" });
  check("on the page for printing, it's a list", await page.evaluate(() => document.querySelector("#play-here").shadowRoot === null));
  await page.close();

  // ---- With only the keyboard ----

  page = await open();
  const focused = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id || document.activeElement?.shadowRoot?.activeElement?.value || "");
  async function tabTo(id) {
    for (let tries = 0; tries < 300; tries++) {
      await page.keyboard.press("Tab");
      if ((await focused()) === id) return true;
    }
    return false;
  }
  check("keys: tab reaches the situations", await tabTo("situation"));
  await page.keyboard.press("ArrowDown");
  check("keys: and the arrows choose one", (await page.locator("#play-here #situation").inputValue()) === "one-message-two-recvs", await page.locator("#play-here #situation").inputValue());
  check("keys: tab reaches the framings", await tabTo("none"));
  await page.keyboard.press("ArrowRight");
  check("keys: and the arrows choose one", await page.locator("#play-here [value=prefix]").isChecked());
  check("keys: tab reaches the messages", await tabTo("messages"));
  await page.keyboard.press("Control+A");
  await page.keyboard.type("one\ntwo\nthree");
  check("keys: tab reaches the pieces", await tabTo("cut"));
  await page.keyboard.press("Control+A");
  await page.keyboard.type("sends");
  check("keys: what is typed stays in its field", (await page.locator("#play-here #cut").inputValue()) === "sends" && !(await page.locator("#mdbook-searchbar").isVisible()));
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2");
  check("keys: tab reaches the buttons", await tabTo("next"));
  const earlier = await text(page, "count");
  await page.keyboard.press("Enter");
  check("keys: Enter presses one", (await text(page, "count")) !== earlier);
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  check("keys: an arrow steps, and turns no page of the book", (await text(page, "count")).startsWith("2 of") && page.url().includes("playground.html"), await text(page, "count"));
  await page.keyboard.press("End");
  check("keys: everything came out", (await codes(page, "came")).join() === "one,two,three", (await codes(page, "came")).join());
  const said = await page.locator("#play-here").getByRole("status").last().textContent();
  check("a step is announced, with what came of it, and how it ended", /Step \d+ of \d+.*The stream ends here.*✓ 3 messages sent/.test(said), said);
  check("and nothing else is announced", (await page.locator("#play-here [aria-live=polite]").count()) === 0);
  await page.close();

  page = await open("#cut-inside-the-prefix");
  await page.locator("#play-here #copy").click();
  await page.keyboard.press("ArrowRight");
  check("after a click on a button, the arrows step", (await text(page, "count")).startsWith("2 of"), await text(page, "count"));
  await page.keyboard.press("End");
  await page.locator("#play-here #list button").last().click();
  await page.keyboard.press("ArrowLeft");
  check("a call that hasn't happened yet can't keep the focus", (await focused()) === "list", await focused());
  const count = await text(page, "count");
  await page.evaluate(() => document.querySelector("#play-here").shadowRoot.activeElement.blur());
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.keyboard.press("ArrowRight");
  check("out of sight, nothing steps, and no page is turned", (await text(page, "count")) === count && page.url().includes("playground.html"), page.url());
  await page.close();

  // ---- How it looks ----

  for (const theme of ["light", "rust", "coal", "navy", "ayu"]) {
    for (const width of [390, 1366]) {
      page = await open("#a-character-cut-in-two", { width, theme });
      const dark = ["coal", "navy", "ayu"].includes(theme);
      check(`${theme}: follows the book's theme`, (await page.locator("#play-here").getAttribute("data-theme")) === (dark ? "dark" : "light"));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      check(`${theme}, ${width} pixels: the page is not wider than the window`, !wide);
      await page.close();
    }
  }
  check("the playground: no complaint and no failed request", trouble.length === 0, trouble.join("\n"));
}

const browser = await launch();
try {
  await playground(browser);
} finally {
  await browser.close();
}
report();
