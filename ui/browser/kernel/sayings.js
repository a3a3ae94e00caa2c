// What is said above a page that itself stays as it is: one sentence, and a way on.
import { button, el } from "../words/format.js";

const reload = () => button("Reload", "Load the page anew", () => location.reload());
const defaults = () =>
  el("a", { href: location.pathname, target: "_self" }, "Open this page at its defaults");

export function say(...parts) {
  const root = document.querySelector("[data-lab]");
  if (!root) return;
  hush();
  root.before(el("p", { class: "lab-notes", role: "alert", "data-lab-said": true }, ...parts));
}

export const hush = () => document.querySelector("[data-lab-said]")?.remove();

export const wentWrong = () =>
  say(
    "Something went wrong while the page was drawn. Reload to go on, with your setup kept, or start afresh. ",
    reload(),
    " ",
    defaults(),
  );

export const newVersion = () =>
  say(
    "A new version of Descent Lab is running on the server. Reload to use it; your setup is kept. ",
    reload(),
  );

export const failed = (sentence) => say(`${sentence} `, defaults());
