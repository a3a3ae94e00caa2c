// What Streamlit calls: `surface` and `race`, once at mount and again at each message.
import { Controls } from "./controls.js";
import { Player } from "./player.js";
import { Store } from "./store.js";
import { unpack } from "./wire.js";

const here = (name) => new URL(name, import.meta.url).href;
const style = document.createElement("link");
style.rel = "stylesheet";
style.href = here("style.css");
const styled = new Promise((done) => (style.onload = done));
document.head.append(style);

const catalogLoaded = fetch(here("catalog.json")).then((answer) => answer.json());
const plotlyLoaded = new Promise((done, failed) => {
  if (globalThis.Plotly) return done(globalThis.Plotly);
  const script = document.createElement("script");
  script.src = here("plotly.js");
  script.onload = () => done(globalThis.Plotly);
  script.onerror = () => failed(new Error("Plotly.js did not load; reload the page."));
  document.head.append(script);
});

// The surface is large and seldom changes, so it comes in a component of its own.
let lastSurface = null;
const surfaceListeners = new Set();

export async function surface({ data }) {
  const message = await unpack(data);
  lastSurface = message;
  for (const listener of surfaceListeners) listener(message);
}

const mounted = new WeakMap();

async function mount(component, first) {
  const root = component.parentElement.querySelector("[data-lab]");
  const [catalog, Plotly] = await Promise.all([catalogLoaded, plotlyLoaded, styled]);
  const store = new Store(catalog, first.header.clean);
  root.replaceChildren();
  const player = new Player(root, store, Plotly);
  const controls = new Controls(root, store);
  const takeSurface = (message) => player.setSurface(message);
  surfaceListeners.add(takeSurface);
  if (lastSurface) takeSurface(lastSurface);
  return {
    receive(message) {
      store.answered(message.header);
      player.setRuns(message);
    },
    connect: (send) => store.connect(send),
    theme: () => player.theme(),
    close() {
      surfaceListeners.delete(takeSurface);
      player.close();
      controls.close();
      store.close();
    },
  };
}

let calls = 0;
let latest = 0;

export async function race(component) {
  const call = ++calls;
  const message = await unpack(component.data);
  const parent = component.parentElement;
  if (!mounted.has(parent)) mounted.set(parent, mount(component, message));
  const lab = await mounted.get(parent);
  lab.connect((ask) => component.setStateValue("ask", ask));
  lab.theme();
  // Unpacking takes a moment: a newer message may have overtaken this one.
  if (call > latest) {
    latest = call;
    lab.receive(message);
  }
  return () => {
    lab.close();
    mounted.delete(parent);
  };
}
