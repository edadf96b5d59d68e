"use strict";
const at = (id) => document.getElementById(id);
const KEY = new URLSearchParams(location.search).get("key");
const PAUSE = 350;  // milliseconds after the last key
const SIGNS = { holds: ["✓", "good"], wrong: ["✗", "bad"], "cannot tell": ["?", "unsure"], doubtful: ["?", "unsure"], "not judged": ["–", "unsure"] };
const OF_PROGRAMS = ["call", "cost", "grads"];
const WORDS = ["net", "kind", "penalty", "let"];
const CHOICES = ["layout", "no_bias", "strict", "chain"];
const text = at("text");
let file = null;      // what was dropped, where it is not the text itself
let name = "derivation.txt";
let running = null;
let pause = 0;
let examples = [];
let marks = new Map();

function make(tag, words = "", kind = "") {
  const made = document.createElement(tag);
  made.textContent = words;
  if (kind) made.className = kind;
  return made;
}

function say(words, old = false) {
  at("closing").textContent = words;
  at("closing").classList.toggle("old", old);
}

function gutter() {
  const count = text.value.split("\n").length;
  const rows = [];
  for (let line = 1; line <= count; line++) {
    const [sign, kind] = SIGNS[marks.get(line)] ?? ["", ""];
    rows.push(make("span", `${sign} ${line}`, kind));
  }
  at("gutter").replaceChildren(...rows);
  at("gutter").scrollTop = text.scrollTop;
}

function goTo(line) {
  const rows = text.value.split("\n");
  const start = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + rows[line - 1].length);
}

/** The text with what holds in the place of its rows; null where they are others by now. */
function mended(line) {
  if (text.readOnly || line.cell !== 0 || line.diff.length === 0) return null;
  const rows = text.value.split("\n");
  for (const change of [...line.diff].sort((one, other) => other.line - one.line)) {
    if (change.old.some((row, place) => rows[change.line - 1 + place] !== row)) return null;
    rows.splice(change.line - 1, change.old.length, ...change.new);
  }
  return rows.join("\n");
}

/** A formula drawn by the server, as elements: its text is read as SVG, and nothing in it runs. */
function drawing(svg) {
  const box = make("div", "", "drawn");
  const read = new DOMParser().parseFromString(svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" '), "image/svg+xml");
  box.append(document.importNode(read.documentElement, true));
  return box;
}

function sentences(words) {
  const said = make("p");
  for (const row of words.split("\n").filter(Boolean)) {
    said.append(row.startsWith("    ") ? make("code", row.trim()) : row, " ");
  }
  return said;
}

function shown(line) {
  const [sign, kind] = SIGNS[line.verdict] ?? ["", ""];
  const item = make("li", "", kind);
  const head = make("p", "", "head");
  if (line.line > 0 && line.cell === 0 && !at("editor").hidden && line.line <= text.value.split("\n").length) {
    const place = make("button", line.place, "place");
    place.type = "button";
    place.addEventListener("click", () => goTo(line.line));
    head.append(place);
  } else if (line.place) head.append(make("span", line.place));
  head.append(make("strong", `${sign} ${line.verdict}`, kind));
  if (line.cause) head.append(make("span", line.cause === "ambiguous" ? line.causes.join(" or ") : line.cause, "cause"));
  item.append(head);
  item.append(line.formula ? drawing(line.formula) : make("code", line.text || line.target));
  if (line.why) item.append(sentences(line.why));
  if (line.repaired) {
    const repair = make("p", "What holds: ");
    repair.append(make("code", line.repaired));
    const whole = mended(line);
    if (whole !== null) {
      const use = make("button", "Put it in");
      use.type = "button";
      use.setAttribute("aria-label", `Put what holds into ${line.place}`);
      use.addEventListener("click", () => { text.value = whole; typed(0); goTo(line.line); });
      repair.append(" ", use);
    }
    item.append(repair);
    if (line.holds) item.append(drawing(line.holds));
  }
  return item;
}

const [WIDE, HIGH, GAP] = [124, 76, 34];  // of a node, and between two rows

function element(tag, attributes, words = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = words;
  return made;
}

/** The nodes in rows by their rank, an arrow from each to those that are computed from it. */
function graph(nodes) {
  at("network").hidden = !nodes.length;
  if (!nodes.length) return;
  const rows = [];
  for (const node of nodes) (rows[node.rank] ??= []).push(node);
  const wide = Math.max(...rows.map((row) => row?.length ?? 0)) * (WIDE + 12);
  const high = rows.length * (HIGH + GAP);
  const number = (value) => (value === null ? "not finite" : Number(value.toPrecision(3)).toString());
  const told = nodes.map((node) => `${node.name} = ${number(node.value)}, dJ/d${node.name} = ${number(node.slope)}`).join("; ");
  const svg = element("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": told });
  const place = new Map();
  rows.forEach((row, rank) => row.forEach((node, n) => {
    place.set(node.name, [(wide / row.length) * (n + 0.5), rank * (HIGH + GAP) + 2]);
  }));
  for (const node of nodes) {
    const [x, y] = place.get(node.name);
    for (const above of node.from) {
      const [a, b] = place.get(above);
      svg.append(element("path", { d: `M${a} ${b + HIGH} L${x} ${y} m-4 -7 L${x} ${y} l4 -7` }));
    }
  }
  for (const node of nodes) {
    const [x, y] = place.get(node.name);
    svg.append(
      element("rect", { x: x - WIDE / 2, y, width: WIDE, height: HIGH, rx: 6 }),
      element("text", { x, y: y + 18, class: "name" }, `${node.name}${node.shape.length ? ` (${node.shape.join(", ")})` : ""}`),
      element("text", { x, y: y + 37 }, number(node.value)),
      element("rect", { x: x - WIDE / 2 + 8, y: y + 46, width: WIDE - 16, height: 22, class: "slope" }),
      element("text", { x, y: y + 62 }, number(node.slope)),
    );
  }
  at("graph").replaceChildren(svg);
}

function answered(answer) {
  marks = new Map();
  const order = ["holds", "not judged", "doubtful", "cannot tell", "wrong"];
  for (const line of answer.lines ?? []) {
    if (line.cell !== 0 || at("editor").hidden) continue;
    const before = marks.get(line.line);
    if (order.indexOf(line.verdict) >= order.indexOf(before)) marks.set(line.line, line.verdict);
  }
  graph(answer.graph ?? []);
  say(answer.problem ? answer.problem : answer.closing);
  at("against").replaceChildren(...(answer.against ?? []).map((row) => make("p", row)));
  at("lines").replaceChildren(...(answer.lines ?? []).filter((line) => line.verdict !== "no claim").map(shown));
  gutter();
}

async function judge() {
  running?.abort();
  const given = { name, setting: at("setting").value, l2: at("penalty").value.trim() || at("l2").checked };
  for (const flag of ["net", "layout", "let"]) given[flag] = at(flag).value.trim();
  for (const flag of ["no_bias", "strict", "chain"]) given[flag] = at(flag).checked;
  given.cost = at("kind").value.trim();
  if (file) given.content = file; else given.text = text.value;
  if (!at("program").hidden) {
    for (const flag of OF_PROGRAMS) given[flag] = at(flag).value || given[flag] || "";
  }
  if (!file && !text.value.trim()) {
    running = null;
    answered({ closing: "Nothing is written yet." });
    return;
  }
  const mine = (running = new AbortController());
  say("Judging ...", true);
  at("lines").setAttribute("aria-busy", "true");
  try {
    const reply = await fetch("judge", {
      method: "POST", signal: mine.signal, body: JSON.stringify(given),
      headers: { "Content-Type": "application/json", "X-Key": KEY },
    });
    const answer = await reply.json();
    if (mine === running) answered(answer);
  } catch (error) {
    if (mine === running) answered({ problem: `The server does not answer: it may have been ended (${error.message}).` });
  } finally {
    if (mine === running) at("lines").removeAttribute("aria-busy");
  }
}

function typed(wait = PAUSE) {
  marks = new Map();
  gutter();
  clearTimeout(pause);
  pause = setTimeout(judge, wait);
}

/** Show a text, or a file by its name: a program is shown and not edited, for it is run once. */
function show(words, called = "derivation.txt", content = null) {
  [name, file] = [called, content];
  text.value = words;
  text.readOnly = content !== null;
  at("editor").hidden = content !== null && !words;
  at("opened").hidden = called === "derivation.txt";
  at("name").textContent = called;
  at("program").hidden = !/\.(py|ipynb)$/.test(called);
  for (const flag of OF_PROGRAMS) at(flag).value = "";
  text.scrollTop = 0;
  typed(0);
}

async function opened(given) {
  if (!given) return;
  if (given.size > 5 * 2 ** 20) {
    answered({ problem: `${given.name} has ${given.size} bytes, expected 5 MiB at most.` });
    return;
  }
  if (/\.(txt|md|tex)$/.test(given.name)) {
    show(await given.text(), given.name);
    return;
  }
  const bytes = new Uint8Array(await given.arrayBuffer());
  let letters = "";
  for (let place = 0; place < bytes.length; place += 8192) letters += String.fromCharCode(...bytes.subarray(place, place + 8192));
  show(given.name.endsWith(".py") ? new TextDecoder().decode(bytes) : "", given.name, btoa(letters));
}

function example() {
  const { text: words, setting, l2 } = examples[at("example").value];
  at("setting").value = setting;
  at("l2").checked = l2;
  at("file").value = "";
  for (const flag of WORDS) at(flag).value = "";
  for (const flag of CHOICES) at(flag).checked = false;
  at("layout").value = "";
  show(words);
}

text.addEventListener("input", () => typed());
text.addEventListener("scroll", () => { at("gutter").scrollTop = text.scrollTop; });
for (const flag of ["setting", "l2", ...OF_PROGRAMS, ...WORDS, ...CHOICES]) at(flag).addEventListener("change", () => typed(0));
at("example").addEventListener("change", example);
at("file").addEventListener("change", () => opened(at("file").files[0]));
at("close").addEventListener("click", example);
at("given").addEventListener("submit", (event) => event.preventDefault());
addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  opened(event.dataTransfer.files[0]);
});

fetch("start.json").then((reply) => reply.json()).then((start) => {
  examples = start.examples;
  at("example").replaceChildren(...examples.map((each, place) => new Option(each.title, place)));
  at("setting").append(...start.settings.map((each) => new Option(`${each.name}: ${each.what}`, each.name)));
  example();
});
