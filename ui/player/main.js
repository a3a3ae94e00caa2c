// What Streamlit calls: a page's component, and those of its large parts, once at mount and again at
// each message. It calls again before the last call has ended, runs the cleanup of a call that was
// overtaken, and puts an error in place of the page. So no call fails here, and a page is closed only
// when it has left the document.

import { onReconnect } from "./connection.js";
import { Controls } from "./controls.js";
import { button, el } from "./format.js";
import { loaded, prefetch } from "./load.js";
import { Player } from "./player.js";
import { Store } from "./store.js";
import { unpack } from "./wire.js";

const ID = import.meta.url;
// Of two versions in one document, as after the server was updated, the first stays: the second
// would find the style sheets, Plotly.js and plots of the other.
globalThis.descentLab ??= { id: ID, leave };
const isFirst = globalThis.descentLab.id === ID;
if (isFirst) prefetch();

const reload = () => button("Reload", "Load the page anew", () => location.reload());
const defaults = () =>
  el("a", { href: location.pathname, target: "_self" }, "Open this page at its defaults");

// One sentence above the page, which itself stays as it is.
function say(...parts) {
  const root = document.querySelector("[data-lab]");
  if (!root) return;
  hush();
  root.before(el("p", { class: "lab-notes", role: "alert", "data-lab-said": true }, ...parts));
}

const hush = () => document.querySelector("[data-lab-said]")?.remove();

const guarded = (act) => async (component) => {
  try {
    if (isFirst) return await act(component);
    say(
      "A new version of Descent Lab is running on the server. Reload to use it; your setup is kept. ",
      reload(),
    );
  } catch (error) {
    console.error(error);
    say(
      "Something went wrong while the page was drawn. Reload to go on, with your setup kept, or start afresh. ",
      reload(),
      " ",
      defaults(),
    );
  }
  return undefined;
};

// What is large and seldom changes comes in components of its own: the surface, a map.
const latest = new Map();
const listeners = new Set();
let calls = 0;

const relay = (kind) => {
  let newest = 0;
  return guarded(async ({ data }) => {
    const call = ++calls;
    const message = data instanceof Uint8Array ? await unpack(data) : data;
    if (call < newest) return; // a newer message was unpacked sooner
    newest = call;
    latest.set(kind, message);
    if (message.failed) say(`${message.failed} `, defaults());
    for (const listen of listeners) listen(kind, message);
  });
};

export const surface = relay("surface");
export const map = relay("map");
export const answer = relay("answer");

// After a lost connection the server may not know the page any more; then only a component outside
// of the page's fragment can have it run.
let askAnew = null;
const stores = new Set();
let isAnew = false; // reconnected while there was no page to ask

export const again = guarded(async (component) => {
  askAnew = (ask) => component.setStateValue("ask", ask);
});

onReconnect(() => {
  isAnew = stores.size === 0;
  for (const store of stores) store.reconnected(askAnew);
});

const mounted = new WeakMap(); // a component's element to its page

class Mounted {
  newest = 0;

  constructor(root, header, load) {
    this.root = root;
    this.opened = this.#open(header, load);
  }

  async #open(header, load) {
    const { catalog, Plotly, build } = await loaded(this.root, load);
    if (!this.root.isConnected) return null;
    this.root.replaceChildren();
    const page = build(this.root, catalog, header, Plotly);
    this.listen = (kind, message) => page.take(kind, message);
    listeners.add(this.listen);
    stores.add(page.store);
    for (const [kind, message] of latest) this.listen(kind, message);
    if (isAnew) page.store.reconnected(askAnew);
    isAnew = false;
    return page;
  }

  async close() {
    const page = await this.opened;
    if (!page) return;
    listeners.delete(this.listen);
    stores.delete(page.store);
    page.close();
  }
}

function leave(parent) {
  const entry = mounted.get(parent);
  if (!entry || entry.root.isConnected) return;
  mounted.delete(parent);
  entry.close();
}

// A page's main component: mounted once, and handed each message.
const pageOf = (load) => {
  const show = guarded(async (component) => {
    const call = ++calls;
    const { parentElement: parent } = component;
    const message = await unpack(component.data);
    const { header } = message;
    leave(parent);
    const root = parent.querySelector("[data-lab]");
    if (header.failed && !mounted.has(parent)) {
      root.replaceChildren(
        el("div", { class: "lab-wait", role: "alert" }, el("p", {}, `${header.failed} `, defaults())),
      );
      return;
    }
    if (!mounted.has(parent)) mounted.set(parent, new Mounted(root, header, load));
    const entry = mounted.get(parent);
    const page = await entry.opened;
    // Unpacking takes a moment: a newer message may have overtaken this one.
    if (!page || call < entry.newest) return;
    entry.newest = call;
    page.store.connect((ask) => component.setStateValue("ask", ask));
    page.theme();
    if (!page.store.accepts(header)) return;
    if (header.failed) {
      page.store.answered(header);
      say(`${header.failed} `, defaults());
      return;
    }
    hush();
    page.receive(message);
  });
  return async (component) => {
    await show(component);
    return () => globalThis.descentLab.leave(component.parentElement);
  };
};

const compare = (root, catalog, header, Plotly) => {
  const store = new Store(catalog, header, catalog.defaults.opt);
  const player = new Player(root, store, Plotly);
  const controls = new Controls(root, store, { decoupled: true, tune: () => player.tuning.ask() });
  return {
    store,
    take: (kind, message) => kind === "surface" && player.setSurface(message),
    receive(message) {
      store.answered(message.header);
      player.setRuns(message);
    },
    theme: () => player.theme(),
    close() {
      player.close();
      controls.close();
      store.close();
    },
  };
};

export const race = pageOf(async () => compare);

// A page's own code is loaded where it is needed. Some browsers keep that an address failed.
const page = (file, name) =>
  pageOf(async (attempt) => {
    const Page = (await import(attempt ? `${file}?attempt=${attempt}` : file))[name];
    return (...all) => new Page(...all);
  });

export const rates = page("./rates.js", "Rates");
export const schedules = page("./schedules.js", "Schedules");
export const steps = page("./steps.js", "Steps");
