// Go to every id: it must be there, say something of itself, and be in sight.
const [ids] = arguments;
const problems = [];
for (const id of ids) {
  const target = document.getElementById(id);
  if (!target) { problems.push(`#${id} is not there`); continue; }
  await arrive(id, () => { location.hash = id; });
  if (covered(target)) problems.push(`#${id} is not in sight`);
  else if (text(target).replace(id, "").length < 10) problems.push(`#${id} says nothing: ${text(target)}`);
}
return problems;
