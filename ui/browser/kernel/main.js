// Part of the page itself, before any connection, so that all is under way when Streamlit asks for the
// page; and what Streamlit calls: once at mount and again at each of its reruns. It calls again before
// the last call has ended, runs the cleanup of a call that was overtaken, and puts an error in place
// of the page. So no call fails here, and a page is closed only when it has left the document.

import { askEarly } from "./asker.js";
import { loaded, prefetch } from "./load.js";
import { Page } from "./page.js";
import { pageAt } from "./place.js";
import { answerAddress, largeAddress } from "./questions.js";
import { newVersion, wentWrong } from "./sayings.js";
import { watchConnection } from "./waiting.js";

const ID = import.meta.url;
// Of two versions in one document, as after the server was updated, the first stays: the second
// would find the style sheets, Plotly.js and plots of the other.
globalThis.descentLab ??= { id: ID };
const isFirst = globalThis.descentLab.id === ID;

if (isFirst) {
  watchConnection();
  // What does not come is asked for again, and said, when the page is to be shown.
  prefetch((catalog) => pageAt(catalog, location), askFirst).catch(() => {});
}

// The first answers, while files still load.
function askFirst(catalog, key, panels) {
  const values = new URLSearchParams(location.search);
  values.sort();
  if (!panels) askEarly(answerAddress(key, values.toString()));
  for (const [name, Panel] of panels ?? []) {
    const query = Panel.firstQuery?.(catalog, key, values);
    if (query !== undefined) askEarly(largeAddress(key, name, query));
  }
}

const mounted = new Map(); // the root of a page to its promise

async function open(root, key) {
  const files = await loaded(root, key);
  if (!root.isConnected) return null;
  root.replaceChildren();
  return new Page(root, key, files);
}

// Streamlit tells of it by the cleanup of some call, and not always before the next page is there.
function closeWhatLeft() {
  for (const [root, opened] of mounted) {
    if (root.isConnected) continue;
    mounted.delete(root);
    opened.then((page) => page?.close());
  }
}

export async function lab({ data, parentElement }) {
  try {
    if (!isFirst) return void newVersion();
    closeWhatLeft();
    const root = parentElement.querySelector("[data-lab]");
    if (!mounted.has(root)) mounted.set(root, open(root, data.page));
    (await mounted.get(root))?.theme();
  } catch (error) {
    console.error(error);
    wentWrong();
  }
  return closeWhatLeft;
}
