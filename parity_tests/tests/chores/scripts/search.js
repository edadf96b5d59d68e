// Type each of the words: what is shown are the entries that have it, no more and no less.
const [words] = arguments;
const box = document.querySelector("input[type=search]");
if (!box) return { entries: 0, problems: ["there is no search box"] };
const entries = [...document.querySelectorAll("[data-find]")];
const problems = entries.length ? [] : ["there is nothing to search: no element has data-find"];
const type = (word) => {
  box.value = word;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  return entries.filter((entry) => entry.checkVisibility());
};
for (const word of words) {
  const shown = new Set(type(word));
  const right = new Set(entries.filter((entry) => entry.textContent.includes(word)));
  if (!right.size) problems.push(`${word} is in no entry`);
  if (shown.symmetricDifference(right).size) problems.push(`${word}: ${shown.size} shown, ${right.size} have it`);
}
if (type("no such word").length) problems.push("entries are shown for words that none of them has");
const target = entries.at(-1);
const link = document.body.appendChild(Object.assign(document.createElement("a"), { href: `#${target?.id}` }));
if (target?.id) {
  if (decodeURIComponent(location.hash) === `#${target.id}`) await happens("hashchange", () => { location.hash = ""; });
  for (const go of [() => { location.hash = target.id; }, () => link.click()]) {  // the address changes, then stays
    type("no such word");
    await arrive(target.id, go);
    if (covered(target)) problems.push(`#${target.id} is not in sight: the search still hides it`);
  }
}
link.remove();
if (type("").length !== entries.length) problems.push("entries stay hidden when the search is over");
return { entries: entries.length, problems };
