// What every page needs before it can be built: the catalog, and its panels' code and style sheets; and
// Plotly.js, which may arrive later. What does not arrive is asked for again when a person says so.
import { button, el } from "../words/format.js";
import { file } from "./place.js";

const BASE = "browser/style/base.css";
const NOT_LOADED =
  "Some of the app's files did not load: the connection failed, or the app has just been updated.";

// Loads once, and once more after it has failed; `load` is told which attempt it is.
const once = (load) => {
  let loading = null;
  let attempt = 0;
  return () =>
    (loading ??= load(attempt++).catch((error) => {
      loading = null;
      throw error;
    }));
};

const each = (load) => {
  const known = new Map();
  return (name) => (known.get(name) ?? known.set(name, once(load(name))).get(name))();
};

const arrives = (node, name) =>
  new Promise((done, failed) => {
    node.onload = done;
    node.onerror = () => {
      node.remove(); // a second one is added when it is tried again
      failed(new Error(`${name} did not load.`));
    };
    document.head.append(node);
  });

const style = each((name) => () => arrives(el("link", { rel: "stylesheet", href: file(name) }), name));

// Some browsers keep that an address failed.
const script = each((name) => (attempt) => import(attempt ? `${file(name)}?attempt=${attempt}` : file(name)));

const catalog = once(async () => {
  const answer = await fetch(file("catalog.json"));
  if (!answer.ok) throw new Error(`The catalog was answered with status ${answer.status}.`);
  return answer.json();
});

const library = once(async () => {
  if (!globalThis.Plotly) await arrives(el("script", { src: file("plotly.js") }), "plotly.js");
  return globalThis.Plotly;
});

// A page's panels by their keys.
async function code({ pages }, key) {
  const { scripts } = pages[key];
  const modules = await Promise.all(scripts.map((name) => script(`panels/${name}/panel.js`)));
  return new Map(scripts.map((name, i) => [name, modules[i].default]));
}

// All that a page needs.
async function all(key) {
  const [known] = await Promise.all([catalog(), style(BASE)]);
  const [panels] = await Promise.all([
    code(known, key),
    ...known.pages[key].styles.map((name) => style(`panels/${name}/panel.css`)),
  ]);
  return { catalog: known, panels };
}

// Begins to load all of it. ask(catalog, key) is called as soon as the page's key is known, and
// ask(catalog, key, panels) when its code is there.
export async function prefetch(keyOf, ask) {
  style(BASE).catch(() => {});
  const known = await catalog();
  const key = keyOf(known);
  if (!key) return;
  ask(known, key);
  all(key).catch(() => {});
  ask(known, key, await code(known, key));
}

export const loaded = (root, key) =>
  insisted(
    () => all(key),
    (retry) => root.replaceChildren(el("div", { class: "lab-wait", role: "alert" }, retry)),
    () => root.replaceChildren(el("p", { class: "lab-wait" }, "Loading again…")),
  );

// Plotly.js, for a page that is shown already: the browser is busy with it for most of a second.
export function plotly(root) {
  let said = null;
  return insisted(
    library,
    (retry) => {
      retry.classList.add("lab-notes");
      retry.setAttribute("role", "alert");
      root.before((said = retry));
    },
    () => said.remove(),
  );
}

// What `load` gives; when it fails, ask(retry) puts a sentence on the page, with a button that tries
// again after again() was called.
async function insisted(load, ask, again) {
  for (;;) {
    try {
      return await load();
    } catch (error) {
      console.error(error);
      await new Promise((done) => {
        const retry = button("Retry", "Load the files again", () => {
          again();
          done();
        });
        ask(el("p", {}, `${NOT_LOADED} `, retry));
      });
    }
  }
}
