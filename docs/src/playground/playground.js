"use strict";
// The playground: a form, the run that comes of it, and what the decoder makes of each recv. Everything is computed by the
// course's own code, compiled to WebAssembly (ENGINE, in engine.js); steps.js shows a run.

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
<div class="columns">
  <form>
    <fieldset id="framing"><legend>Where a message ends</legend></fieldset>
    <div id="played">
      <p>
        <label for="messages">Messages, one on each line</label>
        <textarea id="messages" rows="4" spellcheck="false" autocapitalize="off" aria-describedby="messages-help"></textarea>
        <small id="messages-help"><code>\\n</code> and <code>\\x00</code> stand for bytes. An empty line is an empty message.</small>
      </p>
      <p>
        <label for="cut">The network delivers pieces of</label>
        <input id="cut" autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="cut-help">
        <small id="cut-help"><code>*</code> all in one, <code>sends</code> one for each send, <code>1</code> a byte at a time,
          <code>3,1,*</code> three bytes, one, the rest</small>
      </p>
      <p>
        <label for="reads">Each recv takes at most</label>
        <input id="reads" inputmode="numeric" autocomplete="off" spellcheck="false" aria-describedby="reads-help">
        <small id="reads-help">bytes: <code>1024</code>, or in turn <code>2,5</code></small>
      </p>
    </div>
    <p id="connections"><label for="connection">Connection</label> <select id="connection"></select></p>
    <p id="error" role="alert"></p>
    <ul id="remarks"></ul>
  </form>
  <div id="shown">
    <div id="stream">
      <p class="caption">The stream as it's sent. Click a byte to cut after it.</p>
      <div id="strip" aria-hidden="true"></div>
    </div>
    <div id="run" class="run"></div>
  </div>
</div>
`;

const DECODER = `
<h2 id="decoder-heading">What the receiver makes of it</h2>
<p id="made" aria-live="polite"></p>
<dl>
  <div><dt>messages so far</dt><dd id="came"></dd></div>
  <div><dt>kept for the next recv</dt><dd id="kept"></dd></div>
</dl>
<p id="verdict"></p>
`;

const FRAMINGS = {
  none: "Nothing says so",
  prefix: "Length prefix",
  "prefix-be": "Length prefix, big-endian",
  json: "JSON header",
  lines: "A line each",
  ack: "Length, then OK",
};

// ---- The engine ----------------------------------------------------------------------------------------------------

const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
// Not `await`: a script that isn't a module can't, and a module can't be loaded from a file: address.
const engine = WebAssembly.instantiate(fromBase64(ENGINE)).then(({ instance: { exports } }) => (question) => {
  const asked = new TextEncoder().encode(JSON.stringify(question));
  const at = exports.question(asked.length);
  new Uint8Array(exports.memory.buffer, at, asked.length).set(asked);
  const length = exports.answer();
  return JSON.parse(new TextDecoder().decode(new Uint8Array(exports.memory.buffer, exports.answer_at(), length)));
});

// ---- The situations, which the page itself describes ---------------------------------------------------------------

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
    const settings = Object.fromEntries(names.map((name, at) => [name, cells[at].textContent.trim()]));
    const group = previous(heading, "H2")?.textContent.trim() ?? "";
    const messages = cells[names.indexOf("messages")];
    const played = messages && {
      // An empty message is written in italics, because code can't be empty.
      messages: [...messages.querySelectorAll("code, em")].map((message) => (message.matches("em") ? "" : message.textContent)).join("\n") + "\n",
      framing: settings.framing,
      cut: settings.pieces,
      reads: settings.recv,
    };
    found.set(heading.id, { title: heading.textContent.trim(), group, about, played, recording: settings.recording, framing: settings.framing });
  }
  return found;
}

function previous(element, name) {
  let at = element.previousElementSibling;
  while (at && at.tagName !== name) at = at.previousElementSibling;
  return at;
}

// ---- The page ------------------------------------------------------------------------------------------------------

function playground(host, ask) {
  const root = host.attachShadow({ mode: "open" });
  const page = ask({ page: {} });
  root.innerHTML = `<style>${page.style}</style><link rel="stylesheet" href="playground/playground.css">${PAGE}`;
  const $ = (id) => root.getElementById(id);
  const known = situations();
  const fields = ["messages", "cut", "reads"];
  // What is shown: a situation that is played, or recordings.
  let shown = { played: { messages: "hello\nhi", framing: "none", cut: "*", reads: "1024" } };
  let listening = new AbortController();

  function layOut() {
    const groups = new Map();
    for (const [id, { title, group }] of known) {
      if (!groups.has(group)) groups.set(group, element("optgroup", { label: group }));
      groups.get(group).append(element("option", { value: id }, title));
    }
    $("situation").append(...groups.values(), element("option", { value: "" }, "Your own"));
    for (const [value, text] of Object.entries(FRAMINGS)) {
      $("framing").append(element("label", {}, element("input", { type: "radio", name: "framing", value }), element("span", {}, text)));
    }
  }

  // The form says what is shown, and `show` draws it: from its first step, or from its last if the last one is being looked at.
  function show(last = false) {
    const { played, recordings, framing, connection } = shown;
    $("framing").querySelector(`[value=${played?.framing ?? framing}]`).checked = true;
    for (const field of fields) if (played && $(field).value !== played[field]) $(field).value = played[field];
    $("played").hidden = $("stream").hidden = !played;
    const answer = ask(played ? { play: played } : { replay: { recordings, framing, connection } });
    for (const field of fields) $(field).setAttribute("aria-invalid", answer.field === field);
    $("error").textContent = answer.error ?? "";
    if (answer.error) return;
    $("connection").replaceChildren(...answer.connections.map((name, at) => element("option", { value: at }, name)));
    $("connection").value = connection ?? 0;
    $("connections").hidden = answer.connections.length < 2;
    $("remarks").replaceChildren(...answer.remarks.map((remark) => element("li", {}, remark)));
    strip(answer.stream);
    step(answer, last);
  }

  function step({ run, decodings, stream }, last) {
    listening.abort();
    listening = new AbortController();
    const view = $("run");
    view.innerHTML = page.html;
    view.querySelector("#now").after(element("section", { id: "decoder", "aria-labelledby": "decoder-heading" }));
    view.querySelector("#decoder").innerHTML = DECODER;
    const made = decoded(run, decodings);
    const changed = (index) => tell(made, index, run.steps.length, stream);
    const { go } = stepThrough(view, run, { changed, signal: listening.signal, largest: 1.2 });
    if (last) go(run.steps.length - 1);
  }

  // ---- The decoder ----

  // What was made of the recvs of the first picture, by step.
  function decoded({ pictures }, decodings) {
    const made = new Map();
    decodings.forEach(({ recvs }, at) =>
      recvs.forEach((took, call) => {
        const step = pictures[at].lanes.at(-1).steps[call];
        if (step !== null) made.set(step, { ...took, at });
      }),
    );
    return made;
  }

  function tell(made, index, steps, stream) {
    const now = made.get(index);
    const until = [...made].filter(([step]) => step <= index).map(([, took]) => took);
    // Of two pictures, the one whose receiver was the last to do something.
    const picture = until.at(-1)?.at ?? 0;
    const took = until.filter(({ at }) => at === picture);
    const came = took.flatMap(({ messages }) => messages);
    const kept = took.at(-1)?.held.match(/../g) ?? [];
    const fresh = came.length - (now?.messages.length ?? 0);
    $("made").textContent = sentence(now, took.at(-1));
    $("came").replaceChildren(...came.map((text, at) => element("code", { class: at < fresh ? "" : "fresh" }, text || "(empty)")));
    if (!came.length) $("came").textContent = "none";
    $("kept").replaceChildren(...kept.map((hex) => element("code", {}, hex)));
    if (!kept.length) $("kept").textContent = "nothing";
    $("verdict").textContent = stream && index === steps - 1 ? verdict(came, took, stream) : "";
    $("verdict").className = stream && same(came, stream) ? "same" : "other";
  }

  function sentence(now, latest) {
    if (!latest) return "Nothing has arrived yet.";
    if (!now) return latest.held ? `It waits: it has ${latest.wants}.` : "It waits.";
    const { messages, held, wants, ok, error } = now;
    const quoted = messages.map((text) => (text ? `“${text}”` : "an empty message"));
    const parts = [];
    if (ok) parts.push("It takes these bytes for the whole length, and says OK.");
    if (quoted.length) parts.push(`A message is complete: ${quoted.join(", ")}.`);
    if (held) parts.push(`It keeps ${count(held.length / 2, "byte")}: that's ${wants}.`);
    if (error) parts.push(`It gives up: ${error}.`);
    return parts.join(" ") || "The stream ends here, and no message is under way.";
  }

  const same = (came, { texts }) => JSON.stringify(came) === JSON.stringify(texts);

  function verdict(came, took, stream) {
    const counts = `${count(stream.texts.length, "message")} sent, ${came.length} received`;
    if (same(came, stream)) return `✓ ${counts}: the same ones.`;
    return took.some(({ error }) => error) ? `✗ ${counts}, and an error.` : `✗ ${counts}: not the same ones.`;
  }

  // ---- The stream as it's sent ----

  const STRIP = 400; // more bytes would be more than anybody clicks
  function strip(stream) {
    if (!stream) return;
    const hexes = stream.hex.match(/../g) ?? [];
    const kinds = stream.messages.flatMap(([before, payload, after], message) => [
      ...Array(before).fill(`f${message % 4}`),
      ...Array(payload).fill(`m${message % 4}`),
      ...Array(after).fill(`f${message % 4}`),
    ]);
    const cuts = new Set(stream.cuts);
    const cells = hexes.slice(0, STRIP).map((hex, at) => {
      const char = hex >= "21" && hex <= "7e" ? String.fromCharCode(parseInt(hex, 16)) : "";
      const cut = cuts.has(at + 1) ? " cut" : "";
      return element("button", { type: "button", tabindex: -1, class: kinds[at] + cut, "data-at": at + 1 }, element("b", {}, char || "·"), element("i", {}, hex));
    });
    $("strip").replaceChildren(...cells, hexes.length > STRIP ? `and ${hexes.length - STRIP} more` : "");
    $("strip").dataset.cuts = JSON.stringify(stream.cuts);
    $("strip").dataset.length = hexes.length;
  }

  function toggleCut(place) {
    const cuts = new Set(JSON.parse($("strip").dataset.cuts));
    if (!cuts.delete(place) && place < Number($("strip").dataset.length)) cuts.add(place);
    const places = [...cuts].sort((one, other) => one - other);
    const sizes = places.map((at, index) => at - (places[index - 1] ?? 0));
    change({ cut: [...sizes, "*"].join(",") });
  }

  // ---- What the reader does ----

  function change(settings) {
    shown = { ...shown };
    if (shown.played) shown.played = { ...shown.played, ...settings };
    else Object.assign(shown, settings);
    $("situation").value = "";
    $("about").replaceChildren();
    remember();
    const slider = $("slider");
    show(slider?.value === slider?.max);
  }

  function load(id) {
    const { about, played, recording, framing } = known.get(id);
    const recorded = (name) => ({ name, text: new TextDecoder().decode(fromBase64(RUNS[name])) });
    shown = played ? { played: { ...played } } : { recordings: recording.split(" ").map(recorded), framing, connection: 0 };
    $("situation").value = id;
    $("about").replaceChildren(...about.map((paragraph) => paragraph.cloneNode(true)));
    show();
  }

  async function open(files) {
    const recordings = await Promise.all([...files].map(async (file) => ({ name: file.name, text: await file.text() })));
    shown = { recordings, framing: shown.played?.framing ?? shown.framing, connection: 0 };
    $("situation").value = "";
    $("about").replaceChildren();
    show();
  }

  // The address holds the situation, so that it can be sent to somebody; a recording stays on this machine.
  function remember() {
    if (shown.played) history.replaceState(null, "", `#${new URLSearchParams(shown.played)}`);
  }

  function recall() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (known.has(id)) load(id);
    else if (id.includes("framing=")) {
      shown = { played: { ...shown.played, ...Object.fromEntries(new URLSearchParams(location.hash.slice(1))) } };
      $("situation").value = "";
      show();
    } else load(known.keys().next().value);
    if (id) host.scrollIntoView();
  }

  function listen() {
    root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
    $("situation").addEventListener("change", ({ target }) => {
      if (!target.value) return change({});
      history.replaceState(null, "", `#${target.value}`);
      load(target.value);
    });
    $("framing").addEventListener("change", ({ target }) => change({ framing: target.value }));
    $("connection").addEventListener("change", ({ target }) => change({ connection: Number(target.value) }));
    for (const field of fields) $(field).addEventListener("input", ({ target }) => change({ [field]: target.value }));
    $("strip").addEventListener("click", ({ target }) => {
      const place = target.closest("button")?.dataset.at;
      if (place) toggleCut(Number(place));
    });
    $("open").addEventListener("click", () => $("files").click());
    $("files").addEventListener("change", ({ target }) => open(target.files));
    $("copy").addEventListener("click", async () => {
      remember();
      // Without HTTPS, and in some browsers from a file, there is no clipboard.
      const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
      $("copied").textContent = copied ? "copied" : "it's in the address bar";
    });
    addEventListener("hashchange", recall);
  }

  // The book has its own themes; ours is light or dark.
  function follow() {
    const dark = ["coal", "navy", "ayu"].some((theme) => document.documentElement.classList.contains(theme));
    host.dataset.theme = dark ? "dark" : "light";
  }

  // The picture needs more room than text does, and the arrow keys: the book's arrows would be in its way.
  host.closest("main").style.maxWidth = "1500px";
  for (const arrows of document.querySelectorAll(".nav-wide-wrapper")) arrows.hidden = true;
  follow();
  new MutationObserver(follow).observe(document.documentElement, { attributeFilter: ["class"] });
  layOut();
  listen();
  // Before it has its style, the page is too long, and a link would lead to the wrong place.
  root.querySelector("link").addEventListener("load", recall);
}

// Not on the page that mdBook makes for printing: there, it's only the list of situations.
if (!location.pathname.endsWith("/print.html")) engine.then((ask) => playground(document.getElementById("play-here"), ask));
