// Opens every page of the built book in a real browser, from a server and as a file, and uses it as a reader does.
// Run by scripts/browser-test.sh.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { check, launch, report, watch } from "./browser.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const book = join(root, "docs", "book");
const repository = "https://github.com/unstuck-course/unstuck/";
const phone = { width: 390, height: 844 };
const desk = { width: 1200, height: 900 };
const TABS = 2;

const files = readdirSync(book, { recursive: true })
  .filter((file) => file.endsWith(".html") && file !== "toc.html") // part of the other pages, for browsers without scripts
  .map((file) => file.split(sep).join("/"));

// Serves the book as GitHub Pages does: in a folder of the host.
async function serve() {
  const types = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
  const server = createServer(({ url }, response) => {
    const path = decodeURIComponent(new URL(url, "http://host").pathname).replace(/^\/unstuck\//, "");
    const file = join(book, path.endsWith("/") || path === "" ? `${path}index.html` : path);
    const is = file.startsWith(book) && existsSync(file) && statSync(file).isFile();
    response.writeHead(is ? 200 : 404, { "Content-Type": types[extname(file)] ?? "application/octet-stream" });
    response.end(is ? readFileSync(file) : "not found");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, base: `http://127.0.0.1:${server.address().port}/unstuck/` };
}

// A tab that notes whatever goes wrong in it.
async function tab(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: desk, ...options });
  const page = await context.newPage();
  const trouble = [];
  watch(page, trouble);
  page.on("response", (response) => {
    if (response.status() >= 400) trouble.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) trouble.push(`elsewhere: ${request.url()}`);
  });
  return { page, trouble };
}

// Does something with each file, in a few tabs at once.
async function each(browser, base, viewport, files, visit) {
  const waiting = [...files];
  const work = async () => {
    const { page, trouble } = await tab(browser, base, { viewport });
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      await page.goto(base + file);
      await visit(page, file);
      check(`${base.split(":")[0]}: ${file}: no complaint, and no request fails`, trouble.length === 0, trouble.splice(0).join("\n"));
    }
    await page.context().close();
  };
  await Promise.all(Array.from({ length: TABS }, work));
}

// What sticks out of the window, unless it's inside a block that scrolls.
const tooWide = () => {
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  return [...document.querySelectorAll("main *, #mdbook-menu-bar *")]
    .filter((element) => {
      if (element.getBoundingClientRect().right <= innerWidth + 1) return false;
      let around = element.parentElement;
      while (around.matches("main *") && !scrolls(around)) around = around.parentElement;
      return !around.matches("main *");
    })
    .map((element) => `${element.tagName} "${element.textContent.slice(0, 40)}"`);
};

// Blocks that have 100 columns or fewer, and still have to scroll.
const tooNarrow = () =>
  [...document.querySelectorAll("main > pre > code")]
    .filter((code) => code.textContent.split("\n").every((line) => line.length <= 100) && code.scrollWidth > code.clientWidth)
    .map((code) => code.textContent.slice(0, 60));

const contents = () => ({
  links: [...document.querySelectorAll("a[href]:not(.header)")].map((a) => a.href),
  ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
  pictures: [...document.querySelectorAll("main img")].filter((image) => image.naturalWidth === 0 || !image.alt).map((image) => image.src),
  empty: [...document.querySelectorAll("pre code")].filter((code) => code.textContent.trim() === "").length,
  includes: document.documentElement.outerHTML.includes("{{#"),
  headless: [...document.querySelectorAll("thead")].filter((head) => head.textContent.trim() === "" && head.checkVisibility()).length,
});

async function everyPage(browser, base) {
  const pages = new Map();
  await each(browser, base, phone, files, async (page, file) => {
    const { links, ids, pictures, empty, includes, headless } = await page.evaluate(contents);
    pages.set(file, { links, ids: new Set(ids) });
    check(`${file}: its pictures are there, and say what is seen`, pictures.length === 0, pictures.join(" "));
    check(`${file}: no block of code is empty`, empty === 0);
    check(`${file}: no include is left`, !includes);
    check(`${file}: no table shows a header without words`, headless === 0, headless);
    const wide = await page.evaluate(tooWide);
    check(`${file}: nothing is wider than a phone`, wide.length === 0, wide.slice(0, 5).join("\n"));
  });
  check("every page of the book was seen", pages.size > 50, pages.size);
  linksLead(base, pages);
}

async function everyFile(browser, base) {
  // The page 404.html is for a server, which shows it in place of a page that isn't there.
  await each(browser, base, desk, files.filter((file) => file !== "404.html"), async (page, file) => {
    const narrow = await page.evaluate(tooNarrow);
    check(`${file}: beside the sidebar, 100 columns fit on a desk`, narrow.length === 0, narrow.join("\n"));
  });
}

function linksLead(base, pages) {
  let count = 0;
  for (const [from, { links }] of pages) {
    for (const link of new Set(links)) {
      const { origin, pathname, hash, href } = new URL(link);
      if (href.startsWith(repository)) {
        const path = pathname.split("/").slice(3).join("/").replace(/^(blob|tree|edit)\/main\//, "");
        check(`${from}: the repository has ${path}`, existsSync(join(root, path)));
      } else if (origin === new URL(base).origin) {
        const file = decodeURIComponent(pathname.slice(new URL(base).pathname.length)) || "index.html";
        const anchor = decodeURIComponent(hash.slice(1));
        check(`${from}: ${link} is there`, existsSync(join(book, file)) && (!anchor || pages.get(file)?.ids.has(anchor)));
      } else continue;
      count++;
    }
  }
  check("links were followed", count > 2000, count);
}

async function search(browser, base) {
  const name = base.split(":")[0];
  const { page, trouble } = await tab(browser, base);
  const results = page.locator("#mdbook-searchresults li");
  const found = async (what, expected) => {
    const header = page.locator("#mdbook-searchresults-header");
    await header.filter({ hasText: what }).waitFor();
    const texts = await results.allTextContents();
    check(`${name}: a search finds ${what}`, texts.length > 3 && texts.some((text) => text.includes(expected)), texts.slice(0, 5).join("\n"));
  };
  await page.goto(`${base}tcp.html`);
  await page.keyboard.press("/");
  await page.keyboard.type("boundary");
  await found("boundary", "no boundaries");
  await page.keyboard.press("Enter");
  await page.waitForURL(/highlight=boundary/);
  await page.locator("main mark").first().waitFor();

  await page.goto(`${base}tcp.html`);
  await page.keyboard.press("s");
  await page.keyboard.type("boundary");
  await found("boundary", "no boundaries");
  // As an input method does it: no key event comes with the new text.
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("粘包");
  await found("粘包", "The term");
  const bold = await results.first().locator("em").allTextContents();
  check(`${name}: the excerpt shows the word`, bold.includes("粘包"), bold.join());
  const [first] = await results.allTextContents();
  check(`${name}: the page about it comes first`, first.startsWith("The term"), first);
  await results.first().locator("a").click();
  await page.waitForURL(/the-term/);
  await page.locator("main mark").first().waitFor();

  await page.goto(`${base}tcp.html?search=${encodeURIComponent("TCP 粘包")}`);
  await found("TCP 粘包", "packet");
  check(`${name}: nothing complains about a search`, trouble.length === 0, trouble.join("\n"));
  await page.context().close();
}

// Which parts of the page the Tab key reaches, and in which order.
async function keyboard(browser, base) {
  const { page } = await tab(browser, base);
  await page.goto(`${base}tcp.html`);
  const reached = [];
  for (let count = 0; count < 200 && reached.at(-1) !== "main"; count++) {
    await page.keyboard.press("Tab");
    const where = await page.evaluate(() => {
      const within = document.activeElement.closest("nav[id], main, button");
      return within?.id || within?.tagName.toLowerCase();
    });
    if (where && where !== reached.at(-1)) reached.push(where);
    if (where === "mdbook-search-toggle") {
      await page.keyboard.press("Enter");
      const isOpen = await page.evaluate(() => document.activeElement.id === "mdbook-searchbar");
      check("Enter on the magnifier opens the search", isOpen);
      await page.keyboard.press("Escape");
    }
  }
  const order = "mdbook-sidebar mdbook-theme-toggle mdbook-search-toggle main";
  check("Tab reaches the sidebar, the themes, the search and the page", reached.join(" ") === order, reached.join(" "));

  await page.goto(`${base}tcp.html`);
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(/life.html/);
  await page.context().close();
}

// The colour of a picture's background. Inside an <img>, only the pixels can tell.
async function paper(page) {
  const png = await page.locator("main img").first().screenshot();
  return page.evaluate(async (png) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    return canvas.getImageData(40, 4, 1, 1).data.slice(0, 3).join(" ");
  }, png.toString("base64"));
}

async function themes(browser, base) {
  const papers = { light: "255 255 255", ayu: "20 24 29" };
  for (const [system, own, other] of [["light", "light", "ayu"], ["dark", "ayu", "light"]]) {
    const { page } = await tab(browser, base, { colorScheme: system });
    await page.goto(`${base}sticky.html`);
    const label = `on a ${system} system`;
    check(`${label}: the picture fits the page`, (await paper(page)) === papers[own], await paper(page));
    await page.click("#mdbook-theme-toggle");
    await page.click(`#mdbook-theme-${other}`);
    await page.keyboard.press("Escape");
    check(`${label}: the page changes to ${other}`, await page.evaluate((name) => document.documentElement.classList.contains(name), other));
    check(`${label}: the picture changes with it`, (await paper(page)) === papers[other], await paper(page));
    await page.reload();
    check(`${label}: both are kept after a reload`, (await paper(page)) === papers[other], await paper(page));
    await page.context().close();
  }
}

// A click on a picture shows all of it in its own size, and the next click closes it again.
async function pictures(browser, base) {
  for (const [viewport, file] of [[phone, "speed.html"], [phone, "life.html"], [desk, "speed.html"], [desk, "boundaries.html"]]) {
    const { page } = await tab(browser, base, { viewport });
    await page.goto(base + file);
    const label = `${base.split(":")[0]}: ${file} at ${viewport.width}`;
    const box = page.locator(".img-wrapper").first();
    await page.locator("main img").first().click({ position: { x: 9, y: 9 } });
    await box.waitFor();
    const { small, hidden } = await box.evaluate((box) => {
      const picture = box.querySelector("img");
      const sides = () => picture.getBoundingClientRect();
      const { left, top } = sides();
      box.scrollTo(box.scrollWidth, box.scrollHeight);
      const { right, bottom } = sides();
      return { small: picture.width - picture.naturalWidth, hidden: Math.max(-left, -top, right - innerWidth, bottom - innerHeight) };
    });
    check(`${label}: a picture opens in its own size`, small === 0, small);
    check(`${label}: all of it can be seen`, hidden <= 0, hidden);
    await page.mouse.click(viewport.width / 2, viewport.height / 2);
    await box.waitFor({ state: "hidden" });
    await page.context().close();
  }
}

// Box-drawing characters are as wide as letters, and a Chinese character is as wide as two.
async function columns(browser, base) {
  const { page } = await tab(browser, base);
  await page.goto(`${base}sticky.html`);
  const widths = await page.evaluate(async () => {
    const code = [...document.querySelectorAll("pre code")].find((code) => code.textContent.includes("你好"));
    await Promise.all([...document.fonts].filter((font) => font.family.includes("two columns")).map((font) => font.load()));
    return ["aaaaaaaa", "────┬│┼┘", "你好，世"].map((text) => {
      const probe = document.createElement("span");
      probe.textContent = text;
      code.append(probe);
      return probe.getBoundingClientRect().width;
    });
  });
  const even = widths.every((width) => Math.abs(width - widths[0]) < 0.5);
  check("boxes line up around Chinese characters (needs one of the fonts named in docs/theme/course.css)", even, widths.join(" "));
  await page.context().close();
}

async function onPaper(browser, base) {
  const { page } = await tab(browser, base, { colorScheme: "dark" });
  // A4 without its margins, at 96 dots an inch.
  await page.setViewportSize({ width: Math.floor((182 / 25.4) * 96), height: 900 });
  await page.emulateMedia({ media: "print" });
  await page.goto(`${base}print.html`);
  const { closed, ink, wrapped } = await page.evaluate(() => {
    const code = document.querySelector("main > pre > code");
    const probe = document.createElement("span");
    probe.textContent = "a".repeat(100);
    code.append(probe);
    return {
      closed: [...document.querySelectorAll("details > :not(summary)")].filter((part) => !part.checkVisibility()).length,
      ink: getComputedStyle(document.body.querySelector(".page-wrapper")).backgroundColor,
      wrapped: probe.getClientRects().length,
    };
  });
  check("on paper: all answers are open", closed === 0, closed);
  check("on paper: 100 columns fit on a line", wrapped === 1, wrapped);
  check("on paper: no theme is dark", ink === "rgb(255, 255, 255)", ink);
  const light = await coloursIn(page, "light");
  for (const theme of ["rust", "coal", "navy", "ayu"]) {
    const colours = await coloursIn(page, theme);
    const other = Object.keys(light).filter((what) => colours[what] !== light[what]);
    check(`on paper: ${theme} prints like light`, other.length === 0, other.map((what) => `${what}: ${colours[what]}, not ${light[what]}`).join("\n"));
  }
  await page.context().close();
}

// The colours of what a chapter consists of. No chapter has a quote yet, and only the playground has keys.
function coloursIn(page, theme) {
  return page.evaluate((theme) => {
    document.getElementById(`mdbook-theme-${theme}`).click();
    const main = document.querySelector("main");
    main.append(document.createElement("blockquote"), document.createElement("kbd"));
    const text = ["p", "h2 a", "p > code", "p > a", "pre > code", "summary", "details", "kbd", "blockquote"];
    const table = ["thead", "thead tr", "td", "tbody tr:nth-child(2n)"];
    return Object.fromEntries(
      [...text, ...table].map((part) => {
        const { color, backgroundColor, borderTopColor } = getComputedStyle(main.querySelector(part));
        return [part, `${color} on ${backgroundColor}, border ${borderTopColor}`];
      }),
    );
  }, theme);
}

const { server, base } = await serve();
const asFiles = pathToFileURL(book + sep).href;
const browser = await launch();
try {
  await everyPage(browser, base);
  await everyFile(browser, asFiles);
  await search(browser, base);
  await search(browser, asFiles);
  await keyboard(browser, base);
  await themes(browser, base);
  await themes(browser, asFiles);
  await pictures(browser, base);
  await pictures(browser, asFiles);
  await columns(browser, base);
  await onPaper(browser, base);
} finally {
  await browser.close();
  server.close();
}
report();
