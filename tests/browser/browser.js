// What the tests in this folder share: a browser, and a count of the checks that passed.

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
