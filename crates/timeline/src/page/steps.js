"use strict";
// Shows a recorded run, and steps through it. Everything in the run reaches the page as text.

// ---- Small helpers -------------------------------------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "text", "path"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children); // strings become text nodes
  return made;
}

const number = (n) => n.toLocaleString("en");
const count = (n, one) => `${number(n)} ${one}${n === 1 ? "" : "s"}`;
// Recordings made with two different clocks have no times.
const time = (step) => (step.t === undefined ? undefined : `+${(step.t / 1000).toFixed(3)} ms`);

// A scrolling element that holds only the visible rows, however many there are. `height()` is the height of a row,
// `draw(index)` makes a row, and `mark(row, index)` updates it.
function windowed(box, rows, height, draw, mark) {
  const drawn = new Map();
  const spacer = element("div"); // as high as all rows together
  box.append(spacer);
  function refresh() {
    const high = height();
    spacer.style.height = `${rows * high}px`;
    const from = Math.max(0, Math.floor(box.scrollTop / high) - 2);
    const to = Math.min(rows, Math.ceil((box.scrollTop + box.clientHeight) / high) + 2);
    for (const [index, row] of drawn) {
      if (index < from || index >= to) {
        if (row === row.getRootNode().activeElement) box.focus(); // or the next Tab would start at the top of the page
        row.remove();
        drawn.delete(index);
      }
    }
    for (let index = from; index < to; index++) {
      if (!drawn.has(index)) {
        drawn.set(index, draw(index));
        box.append(drawn.get(index));
      }
      const row = drawn.get(index);
      row.style.top = `${index * high}px`;
      mark(row, index);
    }
  }
  function show(index) {
    const top = index * height();
    if (top < box.scrollTop || top + height() > box.scrollTop + box.clientHeight) {
      box.scrollTop = Math.max(0, top - (box.clientHeight - height()) / 2);
    }
    refresh();
  }
  box.addEventListener("scroll", refresh, { passive: true });
  new ResizeObserver(refresh).observe(box);
  return { refresh, show };
}

// A picture is never drawn smaller than this: its letters would be hard to read.
const SMALLEST = 0.85;

// ---- The pictures --------------------------------------------------------------------------------------------------

// Scrolls sideways to the box of this step, if the picture is wider than the window.
function follow(box) {
  const now = box.querySelector("g.now .box")?.getBoundingClientRect();
  const room = box.getBoundingClientRect();
  if (now && (now.left < room.left || now.right > room.right)) box.scrollLeft += now.left - room.left - Math.max(0, room.width - now.width) / 2;
}

function shape(picture, [first, ...rest]) {
  if (typeof first === "number") {
    const step = picture.lanes[first].steps[rest[0]];
    const group = element("g", { class: "step" }, ...rest[1].map((inner) => shape(picture, inner)));
    if (step !== null) group.dataset.step = step;
    return group;
  }
  if (rest.length === 1) return element("path", { class: first, d: rest[0] });
  const [x, y, length, last] = rest;
  if (typeof last === "string") return element("text", { class: first, x, y, textLength: length }, last);
  return element("rect", { class: first, x, y, width: length, height: last });
}

// The right end of a shape: a box ends where its fillings do.
function rightOf([first, ...rest]) {
  if (typeof first === "number") return Math.max(0, ...rest[1].map(rightOf));
  return rest.length === 1 ? 0 : rest[0] + rest[2];
}

// Shows a run in `root`, which holds layout.html, and calls `changed` with each step that it goes to. When `signal` is aborted,
// it stops listening. A small picture grows to `largest` times its size, if there's room. Keys that are pressed outside `root`
// count only if `hears(target)` says so.
function stepThrough(root, { parties, pictures, steps }, { changed = () => {}, signal, largest = 1.6, hears = () => true } = {}) {
  const $ = (id) => root.querySelector(`#${id}`);
  const name = (step) => `${parties[step.who]} ${step.call}`;
  let current = 0;

  const views = pictures.map((picture) => {
    const id = `picture-${picture.id}`;
    const box = element("div", { class: "window", tabindex: 0, role: "region", "aria-labelledby": id });
    const section = element("section", { class: "picture" }, element("h2", { id }, picture.name));
    for (const note of picture.notes) section.append(element("p", { class: "note" }, note));
    const words = element("ul", {}, ...picture.words.map((sentence) => element("li", {}, sentence)));
    section.append(box, element("details", {}, element("summary", {}, "In words"), words));
    $("pictures").append(section);
    // As wide as the drawing. It grows and shrinks with the window, as long as it is easy to read.
    const wide = picture.rows.reduce((most, shapes) => shapes.reduce((most, each) => Math.max(most, rightOf(each)), most), 0) + 4;
    const scale = () => Math.min(largest, Math.max(SMALLEST, box.clientWidth / wide));
    // The row in which the box of a step begins.
    const rowOf = new Map();
    picture.rows.forEach((shapes, row) => {
      for (const [lane, call] of shapes) {
        if (typeof lane !== "number") continue;
        const step = picture.lanes[lane].steps[call];
        if (!rowOf.has(step)) rowOf.set(step, row);
      }
    });
    const draw = (row) =>
      element(
        "svg",
        { viewBox: `0 0 ${wide} ${picture.height}`, "aria-hidden": "true" },
        ...picture.rows[row].map((each) => shape(picture, each)),
      );
    const mark = (svg) => {
      svg.style.width = `${wide * scale()}px`;
      for (const group of svg.querySelectorAll("g.step")) {
        const step = Number(group.dataset.step ?? -1);
        group.classList.toggle("later", step > current);
        group.classList.toggle("now", step === current);
      }
    };
    const view = windowed(box, picture.rows.length, () => picture.height * scale(), draw, mark);
    box.addEventListener("click", (event) => {
      const step = event.target.closest("g.step")?.dataset.step;
      if (step !== undefined) go(Number(step));
    });
    return () => {
      if (!rowOf.has(current)) return view.refresh();
      view.show(rowOf.get(current));
      follow(box);
    };
  });

  // ---- The list of calls: neighbours that are alike are one line -----------------------------------------------------

  const alike = (one, other) => one.who === other.who && one.call === other.call && one.got === other.got && !one.error && !other.error;
  const runs = [];
  steps.forEach((step, index) => {
    if (index && alike(steps[index - 1], step)) runs.at(-1).end = index + 1;
    else runs.push({ start: index, end: index + 1 });
  });
  // Two have room for a line each, and then the lines show their bytes.
  const groups = runs.flatMap(({ start, end }) => (end - start === 2 ? [{ start, end: start + 1 }, { start: start + 1, end }] : { start, end }));
  const groupOf = groups.flatMap(({ start, end }, group) => Array(end - start).fill(group));

  function line({ start, end }) {
    const step = steps[start];
    if (end - start > 1) {
      const each = step.got === undefined ? "" : ` of ${count(step.got, "byte")} each`;
      return `${parties[step.who]} ${count(end - start, step.call)}${each}`;
    }
    // Show the bytes, which say more than their number; if they are not known, show the number.
    const moved = step.shown ?? (step.got === undefined ? "" : count(step.got, "byte"));
    return `${name(step)} ${moved}`.trimEnd() + (step.error ? `: ${step.error}` : "");
  }

  const list = windowed(
    $("list"),
    groups.length,
    () => 28,
    (index) => {
      const button = element("button", { type: "button" }, element("span", { class: "text" }), element("span", { class: "t" }));
      button.addEventListener("click", () => go(groups[index].start));
      return button;
    },
    (button, index) => {
      const { start, end } = groups[index];
      const within = current > start && current < end;
      button.firstChild.textContent = line(groups[index]);
      button.lastChild.textContent = within ? `${number(current - start + 1)} of ${number(end - start)}` : (time(steps[start]) ?? "");
      if (index === groupOf[current]) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      button.classList.toggle("later", start > current);
    },
  );

  // ---- The current step ----------------------------------------------------------------------------------------------

  // How far each lane has got at each step: the number of bytes recorded up to then.
  const reached = pictures.map((picture, index) =>
    picture.lanes.map((_, lane) => {
      let end = 0;
      return steps.map((step) => (end = step.in?.[0] === index && step.in[1] === lane ? Math.max(end, step.end) : end));
    }),
  );

  function flight(picture, index) {
    if (picture.datagrams) {
      const calls = picture.lanes.map(({ name, steps }) => `${name} ${count(steps.filter((step) => step !== null && step <= current).length, "datagram")}`);
      return `${picture.name}: ${calls.join(", ")}`;
    }
    const ends = reached[index].map((lane) => lane[current]);
    const lanes = picture.lanes.map((lane, at) => `${lane.name} ${count(ends[at], "byte")}`);
    const missing = picture.recorded.some((recorded) => !recorded);
    const between = ends[0] - ends.at(-1);
    const over = current === steps.length - 1 || (picture.closed !== null && current >= picture.closed);
    let rest = over && between > 0 ? `${count(between, "byte")} never received` : `${count(between, "byte")} not received yet`;
    if (missing) rest = "nobody knows how much is on its way: one side wasn't recorded";
    else if (between < 0) rest = "the send of some bytes wasn't recorded, or was recorded only after their recv";
    return `${picture.name}: ${lanes.join(", ")}; ${rest}`;
  }

  // Like hexdump: the offset, the bytes, and their ASCII characters; where there's little room, half as many in a row.
  function dump(step) {
    const bytes = (step.hex ?? "").match(/../g) ?? [];
    const rows = [];
    const [each, digits] = $("bytes").clientWidth < 540 ? [8, 5] : [16, 7];
    for (let at = 0; at < bytes.length; at += each) {
      const row = bytes.slice(at, at + each);
      const text = row.map((hex) => (hex >= "20" && hex <= "7e" ? String.fromCharCode(parseInt(hex, 16)) : "."));
      rows.push(`${String((step.at ?? 0) + at).padStart(digits)}  ${row.join(" ").padEnd(3 * each - 1)}  ${text.join("")}`);
    }
    if (bytes.length < (step.got ?? 0)) rows.push(`        … the first ${bytes.length} of ${count(step.got, "byte")}`);
    if (bytes.length && bytes.some((hex) => hex > "7e")) {
      // The last character may be cut off, and some characters would change how the others are shown.
      const utf8 = new TextDecoder().decode(Uint8Array.from(bytes, (hex) => parseInt(hex, 16)), { stream: true });
      const escaped = utf8.replace(/[\p{C}\p{M}]/gu, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);
      rows.push("", `as UTF-8: ${escaped}`);
    }
    return rows.join("\n") || "no bytes";
  }

  function say(step) {
    const ends = [step.local && `here ${step.local}`, step.peer && `there ${step.peer}`].filter(Boolean).join(", ");
    let what = name(step);
    if (step.says) what = `${parties[step.who]} ${step.says}`;
    else if (step.error) what += `: failed: ${step.error}`;
    else if (ends) what += `: ${ends}`;
    return `Step ${number(current + 1)} of ${number(steps.length)}. ${what}.`;
  }

  function go(index) {
    if (!steps.length) return;
    current = Math.min(steps.length - 1, Math.max(0, index));
    const step = steps[current];
    $("slider").value = current;
    $("slider").setAttribute("aria-valuetext", `step ${current + 1}, ${name(step)}`);
    $("count").textContent = `${number(current + 1)} of ${number(steps.length)}`;
    $("said").textContent = say(step);
    $("bytes").textContent = dump(step);
    const facts = { time: time(step), asked: step.asked, got: step.got, "at offset": step.at, error: step.error };
    const known = Object.entries(facts).filter(([, value]) => value !== undefined);
    $("facts").replaceChildren(...known.map(([key, value]) => element("div", {}, element("dt", {}, key), element("dd", {}, typeof value === "number" ? number(value) : value))));
    $("flight").replaceChildren(...pictures.map((picture, at) => element("li", {}, flight(picture, at))));
    changed(current);
    views.forEach((show) => show());
    list.show(groupOf[current]);
    // What can't be seen can't keep the focus: the keyboard would begin at the top of the page.
    const focused = root.getRootNode().activeElement;
    if ($("list").contains(focused) && getComputedStyle(focused).visibility === "hidden") $("list").focus({ preventScroll: true });
  }

  // ---- Keys, buttons, playing ----------------------------------------------------------------------------------------

  let playing = null;
  function play(on = !playing) {
    clearInterval(playing);
    // Of a long run of similar calls, twenty are enough.
    const stride = () => {
      const { start, end } = groups[groupOf[current]];
      return Math.min(end - current, Math.max(1, Math.floor((end - start) / 20)));
    };
    const tick = () => (current === steps.length - 1 ? play(false) : go(current + stride()));
    playing = on ? setInterval(tick, 700) : null;
    $("play").textContent = on ? "Pause" : "Play";
    if (on && current === steps.length - 1) go(0);
  }

  const actions = {
    first: () => go(0),
    back: () => go(current - 1),
    next: () => go(current + 1),
    last: () => go(steps.length - 1),
    play: () => play(),
  };
  for (const [id, act] of Object.entries(actions)) $(id).addEventListener("click", act);
  $("slider").max = Math.max(0, steps.length - 1);
  $("slider").addEventListener("input", () => go(Number($("slider").value)));

  const keys = { Home: "first", ArrowLeft: "back", ArrowRight: "next", End: "last", " ": "play" };
  // Before any other listener: in a book, the arrow keys turn the pages.
  document.addEventListener(
    "keydown",
    (event) => {
      const action = keys[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const [target] = event.composedPath(); // the event's own target hides what is inside a shadow root
      if (!root.contains(target) && !hears(target)) return;
      if (target.closest?.("input:not(#slider), textarea, select")) return;
      // The space bar presses a button that has the focus, follows a link, and opens details.
      if (event.key === " " && target.closest?.("a, button, summary")) return;
      event.preventDefault();
      event.stopPropagation();
      actions[action]();
    },
    { capture: true, signal },
  );
  const resized = new ResizeObserver(() => steps.length && ($("bytes").textContent = dump(steps[current])));
  resized.observe($("bytes"));
  signal?.addEventListener("abort", () => (play(false), resized.disconnect()));

  if (!steps.length) $("said").textContent = "No calls were recorded.";
  go(0);
  return { go };
}
