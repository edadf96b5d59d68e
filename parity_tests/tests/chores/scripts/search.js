// Type each of the words: what is shown are the entries that have it, no more and no less; a phrase comes first.
const [words] = arguments;
const box = document.querySelector("input[type=search]");
if (!box) return { entries: 0, problems: ["there is no search box"] };
const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
const type = async (word) => {
  box.value = word;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  for (let wait = 0; wait < 50 && !window.SEARCH; wait += 1) await pause(100);
  await pause(50);
  return [...document.querySelectorAll("#results a")].filter((link) => link.checkVisibility());
};
const problems = [];
await type("x");
const entries = window.SEARCH ?? [];
if (!entries.length) problems.push("there is nothing to search");
const has = (entry, word) => `${entry.title} ${entry.ids} ${entry.text}`.toLowerCase().includes(word.toLowerCase());
for (const word of words) {
  const shown = (await type(word)).length;
  const right = entries.filter((entry) => has(entry, word)).length;
  if (!right) problems.push(`${word} is in no entry`);
  if (shown !== Math.min(right, 40)) problems.push(`${word}: ${shown} shown, ${right} have it`);
}
for (const entry of entries.slice(-3)) {
  const phrase = entry.text.split(" ").slice(0, 4).join(" ");
  const first = decodeURIComponent((await type(phrase))[0]?.hash.slice(1) ?? "");
  if (!entries.some((each) => each.id === first && has(each, phrase))) problems.push(`${phrase}: what has it is not first`);
}
if ((await type("no such word")).length) problems.push("entries are shown for words that none of them has");
const page = location.pathname.split("/").pop();
const here = entries.find((entry) => entry.page === page && entry.id !== "top");
if (here) {
  await type(here.id);
  const link = document.querySelector(`#results a[href="${page}#${here.id}"]`);
  if (!link) problems.push(`${here.id} does not lead to itself`);
  if (link) {
    await arrive(here.id, () => link.click());
    if (covered(document.getElementById(here.id))) problems.push(`#${here.id} is not in sight`);
    if (!document.getElementById("results").hidden) problems.push("what was found stays in the way");
  }
}
await type(entries[0]?.id ?? "");
if ((await type("")).length) problems.push("entries are shown when the search is over");
return { entries: entries.length, problems };
