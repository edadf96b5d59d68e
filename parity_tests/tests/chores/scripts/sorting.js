// Press every button in the head of a table twice: once down and once up, or the other way round.
const size = (cell) => {
  const shown = text(cell);
  return shown === "" ? -1 : shown === "nan" ? Infinity : Number(shown.replace("inf", "Infinity"));
};
const words = (one, other) => text(one).localeCompare(text(other));
const tables = [...document.querySelectorAll("table")].filter((table) => table.querySelector("th button"));
const problems = tables.length ? [] : ["there is no table that can be sorted"];
let columns = 0;
for (const table of tables) {
  const count = table.tBodies[0].rows.length;
  const heads = [...table.tHead.rows[0].cells];
  for (const head of heads.filter((each) => each.querySelector("button"))) {
    columns += 1;
    const column = heads.indexOf(head);
    const cells = () => [...table.tBodies[0].rows].map((row) => row.cells[column]);
    const numeric = cells().some((cell) => text(cell)) && cells().every((cell) => !Number.isNaN(size(cell)));
    const order = numeric ? (one, other) => Math.sign(size(one) - size(other) || 0) : words;
    const said = new Set();
    for (let press = 0; press < 2; press += 1) {
      head.querySelector("button").click();
      const way = head.getAttribute("aria-sort");
      said.add(way);
      const sign = way === "descending" ? -1 : 1;
      const now = cells();
      const at = now.findIndex((cell, place) => place > 0 && order(now[place - 1], cell) * sign > 0);
      if (at > 0) problems.push(`${text(head)}, ${way}: ${text(now[at - 1])} stands before ${text(now[at])}`);
      if (now.length !== count) problems.push(`${text(head)}: ${count} rows have become ${now.length}`);
    }
    if (!said.has("ascending") || !said.has("descending")) problems.push(`${text(head)}: sorted one way only`);
    if (heads.filter((each) => each.hasAttribute("aria-sort")).length !== 1) problems.push(`${text(head)}: which column is sorted is not said`);
  }
}
return { columns, problems };
