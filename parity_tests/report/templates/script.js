"use strict";
const search = document.getElementById("search");
const found = document.getElementById("found");
const results = document.getElementById("results");
const menu = document.getElementById("menu");
const MOST = 40;

document.documentElement.classList.add("scripted");

/** What can be found on all pages: loaded when it is first needed, as a script, which a page in a file may load too. */
let loading = null;
function index() {
  loading ??= new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: "search.js" });
    script.addEventListener("load", () => done(window.SEARCH));
    script.addEventListener("error", failed);
    document.head.append(script);
  });
  return loading;
}

const plain = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();

/** The entries that have the words: those that have them as a phrase first, and of these the ones with it in the title. */
function fitting(entries, asked) {
  const exact = asked.match(/^"(.+)"?$/);
  const phrase = plain(exact ? exact[1].replace(/"$/, "") : asked);
  const words = phrase.split(" ");
  const ranked = [];
  for (const entry of entries) {
    const title = entry.title.toLowerCase();
    const text = `${title} ${entry.ids.toLowerCase()} ${entry.text.toLowerCase()}`;
    const whole = text.includes(phrase);
    if (!whole && (exact || !words.every((word) => text.includes(word)))) continue;
    const named = ` ${entry.ids.toLowerCase()} `.includes(` ${phrase} `);
    ranked.push([named ? 0 : title.includes(phrase) ? 1 : whole ? 2 : 3, entry]);
  }
  return ranked.sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

/** A piece of the text around the first of the words, these marked. */
function piece(entry, asked) {
  const phrase = plain(asked.replaceAll('"', ""));
  const lower = entry.text.toLowerCase();
  const word = lower.includes(phrase) ? phrase : phrase.split(" ").find((each) => lower.includes(each)) ?? "";
  const place = word ? lower.indexOf(word) : 0;
  const from = Math.max(0, place - 60);
  const shown = document.createElement("span");
  shown.append(from ? "... " : "", entry.text.slice(from, place));
  if (word) shown.append(Object.assign(document.createElement("mark"), { textContent: entry.text.slice(place, place + word.length) }));
  shown.append(entry.text.slice(place + word.length, place + word.length + 120));
  return shown;
}

async function find() {
  const asked = search.value.trim();
  if (!asked) {
    results.hidden = true;
    found.textContent = "";
    return;
  }
  const entries = fitting(await index(), asked);
  if (asked !== search.value.trim()) return;
  const list = document.createElement("ol");
  for (const entry of entries.slice(0, MOST)) {
    const link = Object.assign(document.createElement("a"), { href: `${entry.page}#${entry.id}`, textContent: entry.title });
    const item = document.createElement("li");
    item.append(link, " ", Object.assign(document.createElement("span"), { className: "ids", textContent: entry.of }), document.createElement("br"), piece(entry, asked));
    list.append(item);
  }
  results.replaceChildren(list);
  results.hidden = !entries.length;
  found.textContent = entries.length > MOST ? `${entries.length}, the first ${MOST}` : `${entries.length} found`;
}
search.addEventListener("input", find);
search.addEventListener("focus", () => { index(); if (search.value) find(); });
search.form.addEventListener("submit", (event) => {
  event.preventDefault();
  results.querySelector("a")?.click();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !results.hidden) {
    results.hidden = true;
    search.focus();
  } else if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement?.tagName)) {
    event.preventDefault();
    search.focus();
  }
});
document.addEventListener("click", (event) => { if (!search.form.contains(event.target) || event.target.closest("#results a")) results.hidden = true; });

menu.addEventListener("click", () => {
  const open = document.body.classList.toggle("menu");
  menu.setAttribute("aria-expanded", open);
});
document.getElementById("contents").addEventListener("click", (event) => {
  if (event.target.closest("a")) { document.body.classList.remove("menu"); menu.setAttribute("aria-expanded", false); }
});

/** Go to what the address names; what another page has is gone to there. */
async function show() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  const target = document.getElementById(id);
  if (!target) {
    const entry = (await index()).find((each) => each.ids.split(" ").includes(id));
    if (entry && decodeURIComponent(location.hash.slice(1)) === id) location.replace(`${entry.page}#${id}`);
    return;
  }
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", show);
show();

const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);
const size = (text) => (text === "" ? -1 : text === "nan" ? Infinity : Number(text.replace("inf", "Infinity")));

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const header = button.parentElement;
    const table = header.closest("table");
    const column = [...header.parentElement.children].indexOf(header);
    const down = header.getAttribute("aria-sort") !== "descending";
    for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.children[column].textContent;
    const numeric = header.classList.contains("number");
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => (numeric ? compare(size(a), size(b)) : a.localeCompare(b)) * (down ? -1 : 1));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  });
}

const folded = [];
window.addEventListener("beforeprint", () => {
  folded.push(...document.querySelectorAll("details:not([open])"));
  for (const one of folded) one.open = true;
});
window.addEventListener("afterprint", () => { for (const one of folded.splice(0)) one.open = false; });
