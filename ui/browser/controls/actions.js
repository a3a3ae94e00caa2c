// What a person does with the whole setup: undo, reset, a random start, a link.
import { button, el } from "../words/format.js";

const METHODS = [
  "opt",
  "of",
  "without",
  "shown",
  "lr",
  "schedule",
  "sched",
  "warmup",
  "warmup_from",
  "total",
];

// tune: whether there is a panel that finds the best rate for each.
export function actions(fields, lab, { tune = false }) {
  const { store } = lab;
  const copied = el("output", { hidden: true });
  const tell = (...said) => {
    copied.hidden = false;
    copied.replaceChildren(...said);
  };
  fields.onUpdate(() => (copied.hidden = true)); // it was another link
  const about = "The best learning rate for each, of the same number of trial runs";
  const act = (text, title, run) => el("button", { type: "button", title, onclick: run }, text);
  return el(
    "div",
    { class: "lab-actions" },
    tune ? act("Tune each", about, () => lab.panel("tuning").ask()) : "",
    act("Random start", "Another start inside the frame", () => randomStart(store)),
    button("↶", "Undo (Ctrl+Z)", store.undo, { class: "lab-small" }),
    button("↷", "Redo (Ctrl+Shift+Z)", store.redo, { class: "lab-small" }),
    act("Reset methods", "The methods and their settings as they were at first", () =>
      store.reset((name) => METHODS.includes(name) || name.includes(".")),
    ),
    act("Reset all", "Everything on this page as it was at first", () => store.reset()),
    act("Copy link", "The address of this setup", () => copy(store.address.link(), tell)),
    act("Link to this moment", "The address of this step, as it is seen now", () =>
      copy(store.address.link(moment(lab)), tell),
    ),
    copied,
  );
}

function randomStart(store) {
  const at = store.surface.domain.map(([a, b]) => Number((a + Math.random() * (b - a)).toPrecision(3)));
  store.set(Object.fromEntries(at.map((value, i) => ["xy"[i], value])));
}

function moment({ clock, main }) {
  return [
    ["t", String(clock.step)],
    ...(clock.isPlaying ? [] : [["paused", "1"]]),
    ...(main.isZoomed ? [["zoom", main.stage.window.flat().join(",")]] : []),
  ];
}

// The clipboard API is for https and localhost, and in a frame only with the outer page's leave.
// Elsewhere the link is copied out of a field; where that is refused too, it stays there, selected.
async function copy(link, tell) {
  const isCopied = await navigator.clipboard?.writeText(link).then(
    () => true,
    () => false,
  );
  if (isCopied) return tell("The link is copied.");
  const field = el("input", { type: "text", readonly: true, value: link, "aria-label": "Link" });
  tell("Press Ctrl + C (on a Mac ⌘ C) to copy the link.", field);
  field.select();
  if (document.execCommand("copy")) tell("The link is copied, without the clipboard API, which needs https.");
  return undefined;
}
