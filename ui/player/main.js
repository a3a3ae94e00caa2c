// What Streamlit calls: a page's component, and those of its large parts, once at mount and again at
// each message.
import { Controls } from "./controls.js";
import { Player } from "./player.js";
import { Store } from "./store.js";
import { unpack } from "./wire.js";

const here = (name) => new URL(name, import.meta.url).href;
const styled = Promise.all(
  ["style.css", "rates.css", "steps.css"].map((name) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = here(name);
    document.head.append(style);
    return new Promise((done) => (style.onload = done));
  }),
);

const catalogLoaded = fetch(here("catalog.json")).then((answer) => answer.json());
const plotlyLoaded = new Promise((done, failed) => {
  if (globalThis.Plotly) return done(globalThis.Plotly);
  const script = document.createElement("script");
  script.src = here("plotly.js");
  script.onload = () => done(globalThis.Plotly);
  script.onerror = () => failed(new Error("Plotly.js did not load; reload the page."));
  document.head.append(script);
});

// What is large and seldom changes comes in components of its own: the surface, a map.
const latest = new Map();
const listeners = new Set();

const relay = (kind) => async ({ data }) => {
  const message = data instanceof Uint8Array ? await unpack(data) : data;
  latest.set(kind, message);
  for (const listen of listeners) listen(kind, message);
};

export const surface = relay("surface");
export const map = relay("map");
export const answer = relay("answer");

async function mount(component, first, load) {
  const root = component.parentElement.querySelector("[data-lab]");
  const [catalog, Plotly, build] = await Promise.all([catalogLoaded, plotlyLoaded, load(), styled]);
  root.replaceChildren();
  const page = build(root, catalog, first.header.clean, Plotly);
  const listen = (kind, message) => page.take(kind, message);
  listeners.add(listen);
  for (const [kind, message] of latest) listen(kind, message);
  return { page, stop: () => listeners.delete(listen) };
}

const mounted = new WeakMap();
let calls = 0;
let newest = 0;

// A page's main component: mounted once, and handed each message.
const pageOf = (load) => async (component) => {
  const call = ++calls;
  const message = await unpack(component.data);
  const parent = component.parentElement;
  if (!mounted.has(parent)) mounted.set(parent, mount(component, message, load));
  const { page, stop } = await mounted.get(parent);
  page.connect((ask) => component.setStateValue("ask", ask));
  page.theme();
  // Unpacking takes a moment: a newer message may have overtaken this one.
  if (call > newest) {
    newest = call;
    page.receive(message);
  }
  return () => {
    stop();
    page.close();
    mounted.delete(parent);
  };
};

const compare = (root, catalog, query, Plotly) => {
  const store = new Store(catalog, query, catalog.defaults.opt);
  const player = new Player(root, store, Plotly);
  const controls = new Controls(root, store, { decoupled: true, tune: () => player.tuning.ask() });
  return {
    take: (kind, message) => kind === "surface" && player.setSurface(message),
    receive(message) {
      store.answered(message.header);
      player.setRuns(message);
    },
    connect: (send) => store.connect(send),
    theme: () => player.theme(),
    close() {
      player.close();
      controls.close();
      store.close();
    },
  };
};

export const race = pageOf(async () => compare);

// A page's own code is loaded where it is needed.
const page = (file, name) =>
  pageOf(async () => {
    const Page = (await import(file))[name];
    return (...all) => new Page(...all);
  });

export const rates = page("./rates.js", "Rates");
export const schedules = page("./schedules.js", "Schedules");
export const steps = page("./steps.js", "Steps");
