// Where the keyboard is: what it is called, whether it is seen, and whether one sees that it is there.
const at = document.activeElement;
if (!at || at === document.body) return null;
const style = getComputedStyle(at);
const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
const box = at.getBoundingClientRect();
const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
return { what: `${named(at)} ${text(at).slice(0, 30)}`, ring, inside };
