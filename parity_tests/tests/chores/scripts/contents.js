// Follow every link of the contents, and miss no heading in them.
const links = [...document.querySelectorAll("#contents a")];
const problems = links.length ? [] : ["there is no list of contents: #contents with links in it"];
for (const link of links) {
  const id = decodeURIComponent(link.hash.slice(1));
  const target = document.getElementById(id);
  if (!target) { problems.push(`${text(link)} leads nowhere`); continue; }
  await arrive(id, () => link.click());
  if (covered(target)) problems.push(`${text(link)} leads to what is not in sight`);
}
const listed = new Set(links.map((link) => decodeURIComponent(link.hash.slice(1))));
for (const heading of document.querySelectorAll("section > h2"))
  if (!listed.has(heading.id)) problems.push(`${text(heading)} is not among the contents`);
return { links: links.length, problems };
