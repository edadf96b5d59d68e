// Follow every link of the contents that leads into this page.
const links = [...document.querySelectorAll("#contents a")];
const problems = links.length ? [] : ["there is no list of contents: #contents with links in it"];
for (const link of links.filter((each) => each.getAttribute("href").startsWith("#"))) {
  const id = decodeURIComponent(link.hash.slice(1));
  const target = document.getElementById(id);
  if (!target) { problems.push(`${text(link)} leads nowhere`); continue; }
  await arrive(id, () => link.click());
  if (covered(target)) problems.push(`${text(link)} leads to what is not in sight`);
}
return { links: links.length, problems };
