// What axe-core finds; every rule of its own, and the size of targets for fingers.
const size = axe.getRules().some((rule) => rule.ruleId === "target-size");
const found = await axe.run(document, { resultTypes: ["violations"], rules: size ? { "target-size": { enabled: true } } : {} });
const problems = found.violations.flatMap((rule) => {
  const places = rule.nodes.slice(0, 5).map((node) => `${rule.id}: ${node.target.join(" ")} (${rule.help})`);
  const rest = rule.nodes.length - places.length;
  return rest ? [...places, `${rule.id}: ${rest} more`] : places;
});
return { rules: found.passes.length + found.violations.length, version: axe.version, problems };
