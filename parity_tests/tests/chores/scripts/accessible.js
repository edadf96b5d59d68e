// axe-core's rules on everything; contrast, by far the slowest, on some texts of every look: their colour, their
// letters, and what lies behind them.
const OF_A_LOOK = 3;
const behind = new Map(), looks = new Map();
const number = (look) => {
  if (!looks.has(look)) looks.set(look, { id: looks.size + 1, texts: [] });
  return looks.get(look);
};
const ground = (element) => {
  if (!element) return 0;
  if (!behind.has(element)) {
    const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(element);
    const look = [ground(element.parentElement), backgroundColor, backgroundImage, opacity, position];
    behind.set(element, number(look.join("|")).id);
  }
  return behind.get(element);
};
for (const element of document.body.querySelectorAll("*")) {
  if (![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) continue;
  if (!element.checkVisibility()) continue;
  const { color, fontSize, fontWeight } = getComputedStyle(element);
  number([ground(element), color, fontSize, fontWeight, "text"].join("|")).texts.push(element);
}
const texts = [...looks.values()].flatMap((look) => look.texts.slice(0, OF_A_LOOK));
const options = { preload: false, resultTypes: ["violations"] };  // preloading would ask for the style sheet again
const found = [
  await axe.run(document, { ...options, rules: { "target-size": { enabled: true }, "color-contrast": { enabled: false } } }),
  await axe.run({ include: texts }, { ...options, runOnly: ["color-contrast"] }),
];
return {
  rules: found.reduce((sum, each) => sum + each.passes.length + each.violations.length, 0),
  problems: found.flatMap((each) => each.violations).flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target[0]} (${rule.help})`)),
};
