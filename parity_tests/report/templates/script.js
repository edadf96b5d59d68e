"use strict";
const search = document.getElementById("search");
const found = document.getElementById("found");
const entries = [...document.querySelectorAll("[data-find]")];
const lines = [...document.querySelectorAll(".searched tbody tr")].map((row) => [row, row.textContent.toLowerCase()]);
const aside = [...document.querySelectorAll("body > header, nav, section.chapter > .ids, section figure")];
const sections = [...document.querySelectorAll("main > section")];

function find() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.includes(word));
  let count = 0;
  for (const entry of entries) {
    entry.hidden = !fits(entry.dataset.find);
    count += !entry.hidden;
  }
  for (const [row, text] of lines) row.hidden = !fits(text);
  for (const one of aside) one.hidden = words.length > 0;
  for (const section of sections) {
    section.hidden = words.length > 0 && !section.querySelector("[data-find]:not([hidden]), .searched tr:not([hidden]) > td");
  }
  found.textContent = words.length ? `${count} of ${entries.length}` : "";
}
search.addEventListener("input", () => { find(); scrollTo(0, 0); });
search.form.addEventListener("submit", (event) => event.preventDefault());

function show() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) { search.value = ""; find(); }
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", show);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.hash === location.hash) show();  // the address stays as it is: nothing else would tell
});
show();

const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);
const size = (text) => (text === "nan" ? Infinity : Number(text.replace("inf", "Infinity")));

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const header = button.parentElement;
    const table = header.closest("table");
    const column = [...header.parentElement.children].indexOf(header);
    const down = header.getAttribute("aria-sort") !== "descending";
    for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.children[column].dataset.value ?? row.children[column].textContent;
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
