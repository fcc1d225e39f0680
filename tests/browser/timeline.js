// Opens the pages of the program `timeline` in a real browser, and uses them. Run by scripts/browser-test.sh.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { check, launch, report } from "./browser.js";
import { pages } from "./timeline_runs.js";

// Text that runs over the border of its box, or over the edge of the picture.
const overflows = () =>
  [...document.querySelectorAll("svg g")].flatMap((group) => {
    const border = group.querySelector(":scope > .box")?.getBBox();
    if (!border) return [];
    const beyond = (text) => {
      const { x, width } = text.getBBox();
      return x < border.x - 1 || x + width > border.x + border.width + 1 || text.getComputedTextLength() > border.width;
    };
    return [...group.querySelectorAll("text")].filter(beyond).map((text) => text.textContent);
  });
const beyondThePicture = () =>
  [...document.querySelectorAll("svg text")].filter((text) => {
    const { x, width } = text.getBBox();
    return x < 0 || x + width > text.ownerSVGElement.viewBox.baseVal.width;
  }).map((text) => text.textContent);

// Text that has a vertical line running through it, of its box, of a cut or of a neighbour, or the edge of a colour.
const crossed = () =>
  [...document.querySelectorAll("svg")].flatMap((svg) => {
    // Where an element is drawn, in pixels of the window, because each row has its own position.
    const lines = [...svg.querySelectorAll("path")].flatMap((path) => {
      const { a, d, e, f } = path.getScreenCTM();
      const at = (x, y) => [x * a + e, y * d + f];
      const lines = [];
      let [x, y, start] = [0, 0, 0];
      for (const [, command, rest] of path.getAttribute("d").matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
        const [one, other] = rest.trim().split(" ").map(Number);
        const from = y;
        if (command === "M") [x, y, start] = [one, other, other];
        if (command === "H") x = one;
        if (command === "h") x += one;
        if (command === "V") y = one;
        if (command === "v") y += one;
        if (command === "Z") y = start;
        if (command !== "M" && y !== from) lines.push([at(x, Math.min(from, y)), at(x, Math.max(from, y))]);
      }
      return lines;
    });
    for (const { left, right, top, bottom } of [...svg.querySelectorAll("g > rect")].map((rect) => rect.getBoundingClientRect())) {
      for (const x of [left, right]) lines.push([[x, top], [x, bottom]]);
    }
    const through = (text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      return lines.some(([[x, from], [, to]]) => left < x - 0.5 && x + 0.5 < right && from < bottom - 1.5 && top + 1.5 < to);
    };
    return [...svg.querySelectorAll("g text")].filter(through).map((text) => text.textContent);
  });

async function open(browser, file, colorScheme, reducedMotion = "no-preference") {
  const page = await browser.newPage({ colorScheme, reducedMotion, viewport: { width: 1366, height: 800 } });
  const trouble = [];
  page.on("console", (message) => trouble.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href && !request.url().startsWith("data:")) trouble.push(`request: ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return { page, trouble };
}

async function steps(name, page, calls) {
  const is = async (what, step) => {
    const [count, said] = [await page.textContent("#count"), await page.textContent("#said")];
    const [now, all] = [step, calls].map((n) => n.toLocaleString("en"));
    check(`${name}: ${what}`, count === `${now} of ${all}` && said.startsWith(`Step ${now} of ${all}. `), `${count} | ${said}`);
  };
  await is("starts at the first step", 1);
  check(`${name}: the step is announced`, (await page.getAttribute("#said", "aria-live")) === "polite");
  const press = async (key, what, step) => {
    await page.keyboard.press(key);
    await is(what, step);
  };
  await press("ArrowRight", "right arrow", 2);
  await press("ArrowRight", "right arrow again", 3);
  await press("ArrowLeft", "left arrow", 2);
  await press("ArrowLeft", "left arrow again", 1);
  await press("ArrowLeft", "left arrow at the start", 1);
  await press("End", "End", calls);
  await press("ArrowRight", "right arrow at the end", calls);
  await press("Home", "Home", 1);
  const click = async (id, step) => {
    await page.click(`#${id}`);
    await is(`button ${id}`, step);
  };
  await click("next", 2);
  await click("last", calls);
  await click("back", calls - 1);
  await click("first", 1);
  await page.focus("#slider");
  await press("ArrowRight", "right arrow on the slider", 2);
  await page.locator("#slider").fill("2");
  await is("the slider", 3);
  await page.locator("#list button").nth(1).click();
  await is("a click on a call of the list", 2);
  const box = page.locator("g.step[data-step]").first();
  const step = Number(await box.getAttribute("data-step"));
  await box.locator("text").first().click();
  await is("a click on a box", step + 1);
  await page.keyboard.press("Home");
  const { x, y, height } = await box.locator(".box").boundingBox();
  await page.mouse.click(x + 5, y + height - 5);
  await is("a click beside the words of a box", step + 1);
  check(`${name}: its box stands out`, (await box.getAttribute("class")).split(" ").includes("now"));
  const later = await page.locator("g.step.later").count();
  await page.keyboard.press("Home");
  check(`${name}: what comes later is an outline`, (await page.locator("g.step.later").count()) > later);
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  check(`${name}: the focus shows`, outline === "solid", outline);
  await page.locator("#said").click();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press(" ");
  const moved = page.waitForFunction(() => !document.getElementById("count").textContent.startsWith("1 "), null, { timeout: 30000 });
  check(`${name}: space plays`, await moved.then(() => true, () => false));
  await page.keyboard.press(" ");
  check(`${name}: space pauses`, (await page.textContent("#play")) === "Play");
}

async function looks(name, page, theme) {
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const before = await paper();
  check(`${name}: follows the system's theme`, before === (theme === "dark" ? "rgb(20, 24, 29)" : "rgb(255, 255, 255)"), before);
  await page.click("#theme");
  check(`${name}: the button changes the theme`, (await paper()) !== before);
  await page.click("#theme");
  check(`${name}: and changes it back`, (await paper()) === before);
  const text = await page.evaluate(overflows);
  check(`${name}: no text leaves its box`, text.length === 0, text.join(" | "));
  const wide = await page.evaluate(beyondThePicture);
  check(`${name}: no text leaves the picture`, wide.length === 0, wide.join(" | "));
  const scrolls = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  check(`${name}: the page is not wider than the window`, !scrolls);
  const lines = await page.evaluate(crossed);
  check(`${name}: no line runs through a text`, lines.length === 0, lines.join(" | "));
  await page.setViewportSize({ width: 420, height: 800 });
  const narrow = await page.evaluate(() => {
    const button = document.getElementById("theme");
    const { right } = button.getBoundingClientRect();
    return document.documentElement.scrollWidth <= innerWidth && right <= innerWidth && button.scrollWidth <= button.clientWidth;
  });
  check(`${name}: nothing is squeezed or runs out of a narrow window`, narrow);
  await page.setViewportSize({ width: 1366, height: 800 });
}

// On a phone, nothing but the picture is wider than the window or needs scrolling sideways, and the buttons stay in reach.
async function fitsATelephone(name, page) {
  await page.setViewportSize({ width: 375, height: 812 });
  await page.keyboard.press("Home");
  const sideways = () =>
    [document.documentElement, ...document.body.querySelectorAll("*")]
      .filter((each) => !each.closest(".picture .window") && !each.closest("#list .text") && each.scrollWidth > each.clientWidth + 1)
      .filter((each) => getComputedStyle(each).display !== "inline" && each.clientWidth > 0)
      .map((each) => `${each.tagName}#${each.id}`);
  const inReach = () =>
    ["first", "back", "play", "next", "last", "slider"].filter((id) => {
      const { left, right, top, bottom } = document.getElementById(id).getBoundingClientRect();
      const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return left < 0 || right > innerWidth || bottom - top < 24 || hit?.id !== id;
    });
  for (const where of ["at the first step", "at the second", "at the third", "at the last"]) {
    if (where === "at the last") await page.keyboard.press("End");
    const wide = await page.evaluate(sideways);
    check(`${name}: ${where}, nothing scrolls sideways on a telephone`, wide.length === 0, wide.join(" "));
    await page.keyboard.press("ArrowRight");
  }
  for (const top of [0, 300, 600]) {
    await page.evaluate((top) => scrollTo(0, top), top);
    const missing = await page.evaluate(inReach);
    check(`${name}: ${top} pixels down, all controls are in reach`, missing.length === 0, missing.join(" "));
  }
  await page.evaluate(() => scrollTo(0, 0));
  await page.keyboard.press("Home");
}

// A small picture grows with the window, but not to the size of a poster.
async function growsWithTheWindow(name, page) {
  const letters = async (width) => {
    await page.setViewportSize({ width, height: 1000 });
    await page.evaluate(() => new Promise(requestAnimationFrame));
    return page.evaluate(() => {
      const text = document.querySelector(".picture svg text.side");
      return parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    });
  };
  const sizes = [];
  for (const width of [375, 1366, 1920, 3840]) sizes.push(await letters(width));
  check(`${name}: letters grow with the window`, sizes[1] > 13.5 && sizes[2] >= sizes[1], sizes.join(" "));
  check(`${name}: and stay within reason`, sizes[0] > 11 && sizes[3] < 22, sizes.join(" "));
  await page.setViewportSize({ width: 1366, height: 800 });
}

// Ten thousand calls: only what is visible is drawn, and nothing takes long. The limits allow for a busy machine.
async function staysUsable(name, page, calls) {
  const drawn = () => page.evaluate(() => document.querySelectorAll("*").length);
  check(`${name}: has ten thousand calls`, calls > 10000, calls);
  check(`${name}: draws what is in sight`, (await drawn()) < 8000, await drawn());
  const line = await page.locator("#list").textContent();
  check(`${name}: like calls are one line`, line.includes("10,000 recvs of 1 byte each"), line);
  const begun = Date.now();
  for (let count = 0; count < 100; count++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("End");
  await page.evaluate(async () => {
    const box = document.querySelector(".picture .window");
    for (let at = 0; at <= 20; at++) {
      box.scrollTop = (box.scrollHeight * at) / 20;
      await new Promise(requestAnimationFrame);
    }
  });
  const took = Date.now() - begun;
  check(`${name}: a hundred steps and twenty scrolls take less than 30 s`, took < 30000, `${took} ms`);
  check(`${name}: still draws what is in sight`, (await drawn()) < 8000, await drawn());
  const offsets = await page.locator("svg").last().textContent();
  check(`${name}: the end can be scrolled to`, offsets.includes("9998") || offsets.includes("9999"), offsets);
}

const dir = mkdtempSync(join(tmpdir(), "timeline-"));
const browser = await launch();
try {
  for (const [name, { html, svg, calls }] of Object.entries(await pages(dir))) {
    for (const theme of ["light", "dark"]) {
      const label = `${name}, ${theme}`;
      const { page, trouble } = await open(browser, html, theme);
      await looks(label, page, theme);
      await fitsATelephone(label, page);
      await growsWithTheWindow(label, page);
      await steps(label, page, calls);
      if (name === "long") await staysUsable(label, page, calls);
      check(`${label}: no complaint and no request`, trouble.length === 0, trouble.join("\n"));
      await page.close();

      const picture = await open(browser, svg, theme);
      const text = await picture.page.evaluate(overflows);
      check(`${label}: no text leaves its box in the SVG`, text.length === 0, text.join(" | "));
      const wide = await picture.page.evaluate(beyondThePicture);
      const lines = await picture.page.evaluate(crossed);
      check(`${label}: no line runs through a text of the SVG`, lines.length === 0, lines.join(" | "));
      check(`${label}: no text leaves the SVG`, wide.length === 0, wide.join(" | "));
      const paper = await picture.page.evaluate(() => getComputedStyle(document.querySelector(".paper")).fill);
      check(`${label}: the SVG follows the theme`, paper === (theme === "dark" ? "rgb(20, 24, 29)" : "rgb(255, 255, 255)"), paper);
      check(`${label}: the SVG fetches nothing`, picture.trouble.length === 0, picture.trouble.join("\n"));
      await picture.page.close();
    }
    if (name === "chinese") {
      const { page } = await open(browser, html, "light");
      const words = await page.locator("text.did").allTextContents();
      check("chinese: the boxes say what the client did", words.join(" ").includes("→ printed as the answer"), words.join(" | "));
      await page.close();
    }
    if (name === "short") {
      const list = await open(browser, html, "light");
      const calls = await list.page.locator("#list .text").allTextContents();
      check("short: the list shows bytes", calls.includes('client send "hello"') && calls.includes('server recv "llohi"'), calls.join(" | "));
      check("short: a cause comes before its effect", calls.indexOf("client connect") < calls.indexOf("server accept"), calls.join(" | "));
      await list.page.close();
      const { page } = await open(browser, html, "light", "reduce");
      const moves = await page.evaluate(() => getComputedStyle(document.querySelector("g.step rect")).transitionDuration);
      check("reduced motion: nothing moves", moves === "0s", moves);
      await page.close();
    }
  }
} finally {
  await browser.close();
  rmSync(dir, { recursive: true, force: true });
}
report();
