// Nothing is wider than the window, but for what lies in a box that scrolls; on paper nothing scrolls.
const [width, paper] = arguments;
const problems = [];
if (document.documentElement.scrollWidth > width)
  problems.push(`the page is ${document.documentElement.scrollWidth} px wide`);
const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
const boxed = new Set();
let seen = 0;
for (const element of document.body.querySelectorAll("*")) {
  if (element.parentElement && boxed.has(element.parentElement)) { boxed.add(element); continue; }
  if (element instanceof SVGElement && element.tagName !== "svg") { boxed.add(element); continue; }
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height) continue;
  seen += 1;
  if (scrolls(element)) {
    boxed.add(element);
    if (paper && element.scrollWidth > element.clientWidth + 1) problems.push(`${named(element)} is cut off: ${element.scrollWidth} px in ${element.clientWidth}`);
  }
  if (box.right > width + 1 || box.left < -1) problems.push(`${named(element)} sticks out, from ${Math.round(box.left)} to ${Math.round(box.right)} px`);
  else if (!scrolls(element) && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible" && element.clientWidth > 1)
    problems.push(`${named(element)} hides what it holds: ${element.scrollWidth} px in ${element.clientWidth}`);
}
return { seen, problems };
