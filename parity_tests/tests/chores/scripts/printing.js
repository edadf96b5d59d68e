// Hear, once the page has made itself ready for paper, what is still folded up.
window.addEventListener("beforeprint", () => {
  window.folded = [...document.querySelectorAll("details:not([open])")].map((one) => text(one.querySelector("summary") ?? one));
}, { once: true });
