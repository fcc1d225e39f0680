"use strict";
// The playground: the settings, the run that they lead to, and what the receiver makes of each recv. The course's own code,
// compiled to WebAssembly, computes everything (ENGINE, in engine.js); steps.js shows a run.

const PAGE = `
<p class="pick">
  <label for="situation">Situation</label>
  <select id="situation"></select>
  <button id="open" type="button">Open a recording…</button>
  <input id="files" type="file" multiple hidden>
  <button id="copy" type="button">Copy link</button>
  <span id="copied" role="status"></span>
</p>
<div id="about"></div>
<fieldset id="framing"><legend>Message boundary</legend></fieldset>
<p id="connections" hidden><label for="connection">Connection</label> <select id="connection"></select></p>
<p id="error" role="alert"></p>
<ul id="remarks"></ul>
<div class="columns">
  <details id="settings"><summary>Change the settings</summary><form>
    <p>
      <label for="messages">Messages, one per line</label>
      <textarea id="messages" rows="4" spellcheck="false" autocapitalize="off" aria-describedby="messages-help"></textarea>
      <small id="messages-help"><code>\\n</code> and <code>\\x00</code> stand for single bytes. An empty line is an empty message.</small>
    </p>
    <p>
      <label for="cut">Pieces that the network delivers</label>
      <input id="cut" autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="cut-help">
      <small id="cut-help"><code>*</code>: everything in one; <code>sends</code>: one for each send; <code>3,1</code>: three bytes, one,
        three, one …; <code>3,1,*</code>: three, one, then the rest</small>
    </p>
    <p>
      <label for="reads">Each recv takes at most</label>
      <input id="reads" inputmode="numeric" autocomplete="off" spellcheck="false" aria-describedby="reads-help">
      <small id="reads-help">in bytes: <code>1024</code>, or <code>2,5</code> for two the first time and five from then on</small>
    </p>
    <p>
      <label><input id="late" type="checkbox" aria-describedby="late-help"> The receiver reads late</label>
      <small id="late-help">only when everything that was sent has arrived</small>
    </p>
  </form></details>
  <div id="shown">
    <div id="stream" aria-hidden="true">
      <p class="caption">The stream as it was sent. Press a byte to cut after it; press again to undo.</p>
      <div id="strip"></div>
    </div>
    <div id="run" class="run"></div>
  </div>
</div>
<div id="below"></div>
<p id="status" role="status"></p>
`;

const DECODER = `
<h2 id="decoder-heading"></h2>
<p id="made"></p>
<dl>
  <div><dt>messages so far</dt><dd id="came"></dd></div>
  <div><dt>kept for the next recv</dt><dd id="kept"></dd></div>
</dl>
<p id="verdict"></p>
`;

const FRAMINGS = {
  none: "None",
  prefix: "Length prefix",
  "prefix-be": "Big-endian prefix",
  json: "JSON header",
  lines: "Line feed",
  ack: "Length, then OK",
};
const FIELDS = ["messages", "cut", "reads"];
const DARK = ["coal", "navy", "ayu"]; // the book's themes on dark paper
const WIDE = 900; // pixels: beside the run there's room for the settings
const FRAME = 34; // pixels: the border and the padding around a picture
const MENU = 50; // pixels: the book's menu is on top of the page
const STRIP = 400; // more bytes than anybody clicks
const LISTED = 50; // more messages than anybody reads
const LARGEST = 20e6; // bytes of recordings: more would keep the page busy for seconds

// ---- The engine ----------------------------------------------------------------------------------------------------

const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

// Asks the course's code. If the engine fails, a new one answers the next question, as soon as it has started.
function engine(module) {
  let exports = null;
  const start = () => WebAssembly.instantiate(module).then((instance) => (exports = instance.exports));
  function ask(question) {
    if (!exports) return { error: "the playground's engine is still starting again: wait a moment, and change something" };
    try {
      const asked = new TextEncoder().encode(JSON.stringify(question));
      const at = exports.question(asked.length);
      new Uint8Array(exports.memory.buffer, at, asked.length).set(asked);
      const length = exports.answer();
      return JSON.parse(new TextDecoder().decode(new Uint8Array(exports.memory.buffer, exports.answer_at(), length)));
    } catch (error) {
      exports = null;
      start();
      return { error: `the playground's engine failed, and is starting again: that's a bug in the playground, not in your settings (${error.message})` };
    }
  }
  return start().then(() => ask);
}

// ---- The situations, as the page itself describes them ---------------------------------------------------------------

// A heading, the text below it, and a table with one row of settings.
function situations() {
  const found = new Map();
  for (const heading of document.querySelectorAll("main h3[id]")) {
    const about = [];
    let next = heading.nextElementSibling;
    for (; next?.tagName === "P"; next = next.nextElementSibling) about.push(next);
    const table = next?.matches("table") ? next : next?.querySelector("table"); // mdBook wraps a table in a <div>
    if (!table) continue;
    const names = [...table.querySelectorAll("th")].map((cell) => cell.textContent.trim());
    const cells = [...table.querySelectorAll("td")];
    const { framing, pieces, recv, reads, recording } = Object.fromEntries(names.map((name, at) => [name, cells[at].textContent.trim()]));
    let part = heading.previousElementSibling;
    while (part.tagName !== "H2") part = part.previousElementSibling;
    // An empty message is written in italics, because code can't be empty.
    const messages = [...cells[0].querySelectorAll("code, em")].map((message) => (message.matches("em") ? "" : message.textContent));
    const settings = recording ? { recordings: recording.split(" "), framing } : { played: { messages: messages.join("\n") + "\n", framing, cut: pieces, reads: recv, late: reads === "late" } };
    found.set(heading.id, { title: heading.textContent.trim(), part: part.textContent.trim(), about, ...settings });
  }
  return found;
}

// ---- The page ------------------------------------------------------------------------------------------------------

function playground(host, ask) {
  const root = host.attachShadow({ mode: "open" });
  const page = ask({ page: {} });
  root.innerHTML = `<style>${page.style}</style><link rel="stylesheet" href="playground/playground.css">${PAGE}`;
  const $ = (id) => root.getElementById(id);
  const known = situations();
  // What is shown: `played`, or `recordings` with a `framing` and a `connection`; and the `situation` that it began with.
  let shown;
  // The step that the reader went to; Infinity at the end of a run. A shorter run shows its last step, but doesn't change the place.
  let place = 0;
  let width = null;
  let listening = new AbortController();
  let byPointer = false;

  function layOut() {
    const parts = new Map();
    for (const [id, { title, part }] of known) {
      if (!parts.has(part)) parts.set(part, element("optgroup", { label: part }));
      parts.get(part).append(element("option", { value: id }, title));
    }
    // The last option shows what isn't in the list. It can't be chosen.
    $("situation").append(...parts.values(), element("option", { value: "", hidden: "", disabled: "" }));
    for (const [value, text] of Object.entries(FRAMINGS)) {
      $("framing").append(element("label", {}, element("input", { type: "radio", name: "framing", value }), element("span", {}, text)));
    }
  }

  // What the course's code is asked for it. No picture is wider than the page, so nothing scrolls sideways.
  function question({ played, recordings, framing, connection }) {
    width = room();
    return played ? { play: { ...played, width } } : { replay: { recordings, framing, connection, width } };
  }

  const room = () => Math.max(0, Math.min(page.widest, Math.floor(($("run").clientWidth - FRAME) / SMALLEST)));

  // Draws what is shown, and goes to its place.
  function show(answer = null) {
    const { played, framing, connection } = shown;
    $("settings").hidden = $("stream").hidden = !played; // which makes room for the run
    answer ??= ask(question(shown));
    $("framing").querySelector(`[value=${played?.framing ?? framing}]`).checked = true;
    for (const field of FIELDS) if (played && $(field).value !== played[field]) $(field).value = played[field];
    $("late").checked = played?.late;
    $("copied").textContent = "";
    if (answer.error) complain(answer.error, answer.field);
    // The last run stays, but fainter, because it isn't what the settings say.
    $("shown").classList.toggle("stale", Boolean(answer.error));
    if (answer.error) return;
    $("connection").replaceChildren(...answer.connections.map((name, at) => element("option", { value: at }, name)));
    $("connection").value = connection ?? 0;
    $("connections").hidden = answer.connections.length < 2;
    $("remarks").replaceChildren(...answer.remarks.map((remark) => element("li", {}, remark)));
    if (played) strip(answer.stream);
    step(answer);
  }

  // What is wrong, and in which field: then it's said below that field, even if the settings are folded.
  function complain(error, field) {
    if (field) $(field).closest("p").after($("error"));
    else root.querySelector(".columns").before($("error"));
    if (field) $("settings").open = true;
    $("error").textContent = error;
    for (const each of FIELDS) {
      $(each).setAttribute("aria-invalid", each === field);
      $(each).setAttribute("aria-describedby", `${each === field ? "error " : ""}${each}-help`);
    }
  }

  function step({ run, decodings, stream }) {
    listening.abort();
    listening = new AbortController();
    const view = $("run");
    view.innerHTML = page.html;
    view.querySelector("#said").setAttribute("aria-live", "off"); // #status says it, together with the outcome
    const decoder = element("section", { id: "decoder", "aria-labelledby": "decoder-heading" });
    decoder.innerHTML = DECODER;
    view.querySelector("#pictures").after(decoder, view.querySelector("#now"));
    $("below").replaceChildren(view.querySelector("footer"));
    const made = decoded(run, decodings);
    let goes = false;
    const changed = (index) => {
      if (goes) place = index === run.steps.length - 1 ? Infinity : index;
      tell(run, made, index, stream);
    };
    const hears = (target) => (root.contains(target) || target === document.body || target === document.documentElement) && inSight();
    const { go } = stepThrough(view, run, { changed, signal: listening.signal, largest: 1.2, hears });
    if (place) go(place);
    goes = true;
  }

  function inSight() {
    const { top, bottom } = $("run").getBoundingClientRect();
    return top < innerHeight && bottom > MENU;
  }

  // ---- The receiver ----

  // What the receiver made of each recv, in the order of the steps, with the number of its picture.
  function decoded({ pictures }, decodings) {
    const made = decodings.flatMap(({ recvs }, at) => recvs.map((told, call) => [pictures[at].lanes.at(-1).steps[call], { ...told, at }]));
    return new Map(made.filter(([step]) => step !== null).sort(([one], [other]) => one - other));
  }

  function tell(run, made, index, stream) {
    const { pictures, steps } = run;
    const { at, who } = receiver(run, made, index);
    const told = [...made].filter(([step, { at: picture }]) => step <= index && picture === at).map(([, told]) => told);
    const now = made.get(index);
    const came = told.flatMap(({ messages }) => messages);
    const over = index === steps.length - 1;

    $("decoder-heading").textContent = `What the ${who} makes of it`;
    $("made").textContent = now?.says ?? meanwhile(run, who, index, told) ?? (pictures[at]?.recorded[1] ? "It hasn't received anything yet." : "This side wasn't recorded.");
    list(came, now?.messages.length ?? 0);
    keep(told.at(-1));
    $("run").classList.toggle("over", over);
    $("verdict").textContent = stream && over ? verdict(came, told, stream) : "";
    $("verdict").className = stream?.all_came ? "same" : "other";
    // One picture at a time: the one that the last drawn step is in.
    const drawn = steps.slice(0, index + 1).findLast((step) => step.in)?.in[0] ?? 0;
    [...root.querySelectorAll(".picture")].forEach((picture, at) => picture.classList.toggle("idle", at !== drawn));
    $("status").textContent = [$("said").textContent, now?.says, $("verdict").textContent].filter(Boolean).join(" ");
  }

  // Whose recv was the last, up to this step, or else will be the first; and the number of its picture.
  function receiver({ parties, steps }, made, index) {
    const all = [...made];
    const [step, told] = all.findLast(([step]) => step <= index) ?? all[0] ?? [];
    return told ? { at: told.at, who: parties[steps[step].who] } : { at: 0, who: "receiver" };
  }

  // What it does between two recvs, if it has received anything.
  function meanwhile({ parties, steps }, who, index, told) {
    const now = steps[index];
    if (told.length && parties[now.who] === who && !["recv", "recvfrom", "close"].includes(now.call)) return ""; // it's doing something else
    const closed = steps.slice(0, index + 1).some((step) => step.call === "close" && parties[step.who] === who);
    return closed && told.length ? "It has closed its socket." : told.at(-1)?.then;
  }

  // The messages so far; the last `fresh` of them are new.
  function list(came, fresh) {
    const left = Math.max(0, came.length - LISTED);
    const shown = came.slice(left).map((text, at) => element(text ? "code" : "em", { class: left + at < came.length - fresh ? "" : "fresh" }, text || "(empty)"));
    $("came").replaceChildren(...(left ? [`${left} earlier messages, then`] : []), ...shown, ...(came.length ? [] : ["none"]));
    $("came").scrollTop = $("came").scrollHeight;
  }

  // What it keeps for the next recv.
  function keep({ held = "", kept = 0 } = {}) {
    const hexes = (held.match(/../g) ?? []).map((hex) => element("code", {}, hex));
    const more = kept > hexes.length ? `… ${count(kept, "byte")}` : "";
    $("kept").replaceChildren(...hexes, kept ? more : "nothing");
  }

  function verdict(came, told, stream) {
    const counts = `${count(stream.messages.length, "message")} sent, ${came.length} received`;
    if (stream.all_came) return `✓ ${counts}: they're the same.`;
    return told.some(({ gives_up }) => gives_up) ? `✗ ${counts}, and an error.` : `✗ ${counts}: they differ.`;
  }

  // ---- The stream as it was sent ----

  let cuts = [];
  function strip(stream) {
    const hexes = stream.hex.match(/../g) ?? [];
    const kinds = stream.messages.flatMap(([before, payload, after], message) => [
      ...Array(before).fill(`f${message % 4}`),
      ...Array(payload).fill(`m${message % 4}`),
      ...Array(after).fill(`f${message % 4}`),
    ]);
    cuts = stream.cuts;
    const cells = hexes.slice(0, STRIP).map((hex, at) => {
      const char = hex >= "21" && hex <= "7e" ? String.fromCharCode(parseInt(hex, 16)) : "·";
      const cut = at + 1 < hexes.length && cuts.includes(at + 1) ? " cut" : "";
      return element("button", { type: "button", tabindex: -1, class: kinds[at] + cut }, element("b", {}, char), element("i", {}, hex));
    });
    $("strip").replaceChildren(...cells, hexes.length > STRIP ? `and ${hexes.length - STRIP} more bytes` : "");
  }

  // Cuts after this byte, or takes the cut away. After the last byte there's nothing to cut off.
  function cutAfter(place) {
    if (place === $("strip").querySelectorAll("button").length) return;
    const places = cuts.includes(place) ? cuts.filter((cut) => cut !== place) : [...cuts, place].sort((one, other) => one - other);
    const sizes = places.map((at, index) => at - (places[index - 1] ?? 0));
    change({ cut: [...sizes, "*"].join(",") });
  }

  // ---- What the reader does ----

  // Makes the list of situations show a name that isn't in it.
  function name(text) {
    $("situation").lastChild.textContent = text;
    $("situation").value = "";
  }

  // The run stays at its place, so that you can compare.
  function change(settings) {
    const from = known.get($("situation").value);
    if (from) name(`${from.title} (changed)`);
    shown = shown.played ? { ...shown, played: { ...shown.played, ...settings } } : { ...shown, ...settings };
    remember();
    complain("");
    show();
  }

  function load(id) {
    const { about, played, recordings, framing } = known.get(id);
    const recorded = (name) => ({ name, text: new TextDecoder().decode(fromBase64(RUNS[name])) });
    shown = played ? { situation: id, played: { ...played } } : { situation: id, recordings: recordings.map(recorded), framing, connection: 0 };
    $("situation").value = id;
    $("about").replaceChildren(...about.map((paragraph) => paragraph.cloneNode(true)));
    $("copy").disabled = false;
    place = 0;
    complain("");
    show();
  }

  async function open(files) {
    const names = [...files].map((file) => file.name).join(", ");
    const size = [...files].reduce((sum, file) => sum + file.size, 0);
    if (size > LARGEST) return complain(`expected recordings of at most ${count(LARGEST, "byte")}, got ${count(size, "byte")}: the program timeline can draw longer ones`);
    const recordings = await Promise.all([...files].map(async (file) => ({ name: file.name, text: await file.text() })));
    const opened = { recordings, framing: "none", connection: 0 };
    const answer = ask(question(opened));
    if (answer.error) return complain(answer.error); // and what was there stays
    shown = opened;
    name(names);
    $("about").replaceChildren();
    // A recording stays on this machine: neither a link nor the address can hold it.
    $("copy").disabled = true;
    history.replaceState(null, "", location.pathname + location.search);
    place = 0;
    complain("");
    show(answer);
  }

  // The address holds the settings, so you can send them to somebody.
  function remember() {
    const { situation, played, recordings, framing, connection } = shown;
    if (recordings && !situation) return; // a reader's own
    const settings = played ?? { framing, connection };
    const address = known.has($("situation").value) ? situation : new URLSearchParams(situation ? { situation, ...settings } : settings);
    history.replaceState(null, "", `#${address}`);
  }

  // Shows what the address names: a situation, settings, or both. If it names neither, the first situation.
  function recall() {
    const id = location.hash.slice(1);
    const first = known.keys().next().value;
    if (known.has(id)) load(id);
    else if (id.includes("=")) recallSettings(Object.fromEntries(new URLSearchParams(id)), first);
    else {
      if (!shown || !id) load(first);
      return; // if it names anything, it's another heading of this page
    }
    host.scrollIntoView();
    // That's one leap upwards, and mdBook's menu needs a second event to follow it. Without one, it lies across the run.
    requestAnimationFrame(() => requestAnimationFrame(() => document.dispatchEvent(new Event("scroll"))));
  }

  function recallSettings({ situation, ...settings }, first) {
    load(known.has(situation) ? situation : first);
    const names = Object.keys(FRAMINGS);
    const allowed = shown.played ? { framing: names, messages: null, cut: null, reads: null, late: ["true", "false"] } : { framing: names, connection: null };
    const wrong = ([key, value]) => !Object.hasOwn(allowed, key) || (allowed[key] && !allowed[key].includes(value)) || (key === "connection" && !/^\d+$/.test(value));
    if (!settings.framing || Object.entries(settings).some(wrong)) {
      const expected = Object.entries(allowed).map(([key, values]) => (values ? `${key} (${values.join(", ")})` : key));
      const got = Object.entries(settings).map(([key, value]) => `${key} "${value}"`).join(", ");
      return complain(`expected an address that sets ${expected[0]}, and perhaps ${expected.slice(1).join(", ")}; this one has ${got || "none of these"}`);
    }
    if (settings.late || !known.has(situation)) settings.late = settings.late === "true";
    if (settings.connection) settings.connection = Number(settings.connection);
    if (known.has(situation)) return change(settings);
    shown.situation = undefined;
    change(settings);
    name("Settings from the address");
    $("about").replaceChildren();
  }

  function listen() {
    root.addEventListener("pointerdown", () => (byPointer = true));
    root.addEventListener("keydown", (event) => {
      byPointer = false;
      // What is typed into a field is not for the book: to mdBook before 0.5.3, an s means search, even here.
      if (event.target.matches("input, textarea, select")) event.stopPropagation();
    });
    root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
    // After a click, the arrow keys should step, not choose the next option.
    const chosen = ({ target }) => byPointer && target.blur();
    $("situation").addEventListener("change", (event) => {
      history.replaceState(null, "", `#${event.target.value}`);
      load(event.target.value);
      chosen(event);
    });
    $("framing").addEventListener("change", (event) => {
      change({ framing: event.target.value });
      chosen(event);
    });
    $("connection").addEventListener("change", (event) => {
      change({ connection: Number(event.target.value) });
      chosen(event);
    });
    for (const field of FIELDS) $(field).addEventListener("input", ({ target }) => change({ [field]: target.value }));
    $("late").addEventListener("change", (event) => {
      change({ late: event.target.checked });
      chosen(event);
    });
    $("strip").addEventListener("click", ({ target }) => {
      const cell = target.closest("button");
      if (cell) cutAfter([...$("strip").children].indexOf(cell) + 1);
    });
    $("open").addEventListener("click", () => $("files").click());
    $("files").addEventListener("change", ({ target }) => {
      open(target.files);
      target.value = ""; // so that the same file can be opened again
    });
    $("copy").addEventListener("click", async () => {
      remember();
      // Without HTTPS there's no clipboard, and in some browsers not from a file, either.
      const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
      $("copied").textContent = copied ? "copied" : "copy it from the address bar";
    });
    addEventListener("hashchange", recall);
    // Even where they don't step, the arrows are not to turn the book's pages: what was typed or opened would be gone.
    const stay = (event) => ["ArrowLeft", "ArrowRight"].includes(event.key) && event.stopPropagation();
    document.addEventListener("keydown", stay, { capture: true });
  }

  // The book has several themes; the playground is light or dark.
  function follow() {
    host.dataset.theme = DARK.some((theme) => document.documentElement.classList.contains(theme)) ? "dark" : "light";
  }

  // Where there's no room beside the run, the settings are folded, unless somebody is typing there. The pictures fit the width.
  let wide = null;
  function fit() {
    const now = host.clientWidth > WIDE;
    if (now !== wide) $("settings").open = now || $("settings").contains(root.activeElement);
    wide = now;
    if (shown && room() !== width) show();
  }
  new ResizeObserver(fit).observe(host);

  // The picture needs more room than text does, and it needs the arrow keys, so the book's own arrows are hidden.
  host.closest("main").style.maxWidth = "1500px";
  for (const arrows of document.querySelectorAll(".nav-wide-wrapper")) arrows.hidden = true;
  // mdBook's scroll container never scrolls, the window does: without this, the buttons couldn't stay in sight.
  host.closest(".content").style.overflow = "visible";
  // Paper is light.
  addEventListener("beforeprint", () => (host.dataset.theme = "light"));
  addEventListener("afterprint", follow);
  follow();
  new MutationObserver(follow).observe(document.documentElement, { attributeFilter: ["class"] });
  layOut();
  listen();
  // Until its style is loaded, the page is too long, and a link would lead to the wrong place.
  return loaded(root.querySelector("link")).then(recall);
}

function loaded(tag) {
  return new Promise((resolve, reject) => {
    tag.addEventListener("load", resolve);
    tag.addEventListener("error", () => reject(new Error(`${tag.src ?? tag.href} isn't there; scripts/book.sh makes it`)));
  });
}

// Loads what scripts/playground.sh made. With a script element, because a page that was opened as a file can't fetch another.
function script(name) {
  const script = document.createElement("script");
  script.src = `playground/${name}.js`;
  document.head.append(script);
  return loaded(script);
}

// This script is on every page of the book, and the page that mdBook makes for printing has only the list of situations.
const host = location.pathname.endsWith("/print.html") ? null : document.getElementById("play-here");
if (host) {
  Promise.all(["engine", "runs", "steps"].map(script))
    .then(() => WebAssembly.compile(fromBase64(ENGINE)))
    .then(engine)
    .then((ask) => playground(host, ask))
    .catch((error) => ((host.shadowRoot ?? host).textContent = `The playground can't start: ${error.message}`));
}
