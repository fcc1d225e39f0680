// What the tests in this folder share: a browser, what goes wrong in its pages, and a count of the checks that passed.

import { chromium } from "playwright-core";

let passed = 0;
let failed = 0;

export function check(what, holds, seen = "") {
  if (holds) passed++;
  else {
    failed++;
    console.log(`FAILED: ${what} ${seen}`);
  }
}

// Prints the result, and makes it the exit code.
export function report() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

export function launch() {
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const quiet = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: [...root, ...quiet] });
}

// Notes in `trouble` whatever goes wrong in a page.
export function watch(page, trouble) {
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && trouble.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure().errorText;
    // Not what a page was still loading when it was left.
    if (why !== "net::ERR_ABORTED") trouble.push(`failed: ${request.url()} ${why}`);
  });
}
