const named = (element) => {
  const classes = typeof element.className === "string" && element.className ? `.${element.className.split(" ")[0]}` : "";
  const place = element.closest("[id]");
  return `${element.tagName.toLowerCase()}${classes}${place ? ` in #${place.id}` : ""}`;
};
const text = (element) => element.textContent.replace(/\s+/g, " ").trim();
const happens = (event, act) => new Promise((done) => {
  setTimeout(done, 1000);
  window.addEventListener(event, done, { once: true });
  act();
});
const arrive = (id, act) => {
  const there = decodeURIComponent(location.hash) === `#${id}`;
  return there ? act() : happens("hashchange", act);
};
const covered = (element) => {
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || box.top < 0 || box.top >= innerHeight) return true;
  const seen = document.elementFromPoint(Math.max(box.left, 0) + Math.min(box.width / 2, 20), box.top + 3);
  return !seen || !(element.contains(seen) || seen.contains(element));
};
