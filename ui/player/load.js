// What every page needs before it can be built: the catalog, Plotly.js and the style sheets. What did
// not arrive is asked for again when a person says so.
import { button, el } from "./format.js";

const STYLES = ["style.css", "rates.css", "steps.css"];
const here = (name) => new URL(name, import.meta.url).href;

// Loads once, and once more after it has failed.
const once = (load) => {
  let loading = null;
  return () =>
    (loading ??= load().catch((error) => {
      loading = null;
      throw error;
    }));
};

const arrives = (node, address) =>
  new Promise((done, failed) => {
    node.onload = done;
    node.onerror = () => {
      node.remove(); // a second one is added when it is tried again
      failed(new Error(`${address} did not load.`));
    };
    document.head.append(node);
  });

const styles = STYLES.map((name) =>
  once(() => arrives(el("link", { rel: "stylesheet", href: here(name) }), name)),
);

const catalog = once(async () => {
  const answer = await fetch(here("catalog.json"));
  if (!answer.ok) throw new Error(`The catalog was answered with status ${answer.status}.`);
  return answer.json();
});

const plotly = once(async () => {
  if (!globalThis.Plotly) await arrives(el("script", { src: here("plotly.js") }), "plotly.js");
  return globalThis.Plotly;
});

export const prefetch = () => Promise.allSettled([catalog, plotly, ...styles].map((load) => load()));

// All of it, with the page's own code, which `own` loads in a given attempt.
export async function loaded(root, own) {
  for (let attempt = 0; ; attempt++) {
    try {
      const [build, known, Plotly] = await Promise.all([
        own(attempt),
        catalog(),
        plotly(),
        ...styles.map((load) => load()),
      ]);
      return { build, catalog: known, Plotly };
    } catch (error) {
      console.error(error);
      await retried(root);
    }
  }
}

const retried = (root) =>
  new Promise((done) => {
    const again = () => {
      root.replaceChildren(el("p", { class: "lab-wait" }, "Loading again…"));
      done();
    };
    const sentence =
      "Some of the app's files did not load: the connection failed, or the app has just been updated. ";
    root.replaceChildren(
      el(
        "div",
        { class: "lab-wait", role: "alert" },
        el("p", {}, sentence, button("Retry", "Load the files again", again)),
      ),
    );
  });
