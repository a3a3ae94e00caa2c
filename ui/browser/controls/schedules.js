// The schedule of the learning rate: one for all runs, or several that are compared.
import { el, say, swatch } from "../words/format.js";
import { mathml } from "../words/mathml.js";

const SHARED = { warmup: "warm-up", warmup_from: "begins at", total: "planned" };

const shared = (fields) => Object.entries(SHARED).map(([name, label]) => fields.field(name, { label }));

const own = (fields, { key, hypers }) => hypers.map(({ name }) => fields.field(`${key}.${name}`));

export const sceneOf = (store) =>
  store.own.fields.scene.scenes.find(({ key }) => key === store.value("scene"));

// One schedule, chosen from a list; what may be set of it follows the choice. Most links have none, so
// what is folded away is made when it is opened.
export function schedule(fields, { store }) {
  const all = store.catalog.schedules;
  const current = () => store.value("schedule") ?? sceneOf(store).schedule;
  const word = el("span", {});
  fields.onUpdate(() => {
    const warmup = store.number("warmup");
    const { name } = all.find(({ key }) => key === current());
    say(word, name.toLowerCase() + (warmup ? `, warm-up of ${warmup}` : ""));
  });
  const box = (one) => {
    const made = el(
      "div",
      { class: "lab-params" },
      el("p", { class: "lab-about" }, one.about),
      mathml(one.formula),
      ...own(fields, one),
    );
    fields.onUpdate(() => (made.hidden = current() !== one.key));
    return made;
  };
  const fold = el(
    "details",
    {
      class: "lab-fold",
      "data-fold": "schedule",
      open: ["schedule", "warmup"].some((name) => store.isSet(name)),
    },
    el("summary", {}, el("b", {}, "Schedule"), " ", word),
  );
  const unfold = () => {
    if (!fold.open || fold.childElementCount > 1) return;
    fold.append(
      fields.select(
        "schedule",
        "Schedule",
        all.map(({ key, name }) => [key, name]),
      ),
      ...all.map(box),
      ...shared(fields),
    );
    fields.update();
  };
  fold.addEventListener("toggle", unfold);
  unfold();
  return fold;
}

// Several schedules, each with a switch and its own settings.
function several(fields, store) {
  const order = store.catalog.schedules.map(({ key }) => key);
  const rows = store.catalog.schedules.map((one) => {
    const toggle = el("input", {
      type: "checkbox",
      "data-name": one.key,
      "aria-label": `Race ${one.name}`,
      onchange: () => {
        const others = store.chosen("sched").filter((key) => key !== one.key);
        store.set(store.choice("sched", order, toggle.checked ? [...others, one.key] : others));
      },
    });
    const more = `More of ${one.name}`;
    const card = el(
      "div",
      { class: "lab-racer lab-plan", style: { "--lab-color": one.color } },
      el("label", { class: "lab-name", title: one.about }, toggle, swatch(one), el("b", {}, one.name)),
      el(
        "details",
        {},
        el("summary", { title: more, "aria-label": more }),
        mathml(one.formula),
        ...own(fields, one),
        el("p", {}, `${one.about} ${one.convention}`),
      ),
    );
    fields.onUpdate(() => {
      toggle.checked = store.chosen("sched").includes(one.key);
      card.classList.toggle("lab-off", !toggle.checked);
    });
    return card;
  });
  return el(
    "div",
    { class: "lab-racers", role: "group", "aria-label": "Schedules" },
    ...rows,
    el("div", { class: "lab-params" }, ...shared(fields)),
  );
}

// A race has several schedules; every other scene has one.
export function schedules(fields, lab) {
  const { store } = lab;
  const race = several(fields, store);
  const one = schedule(fields, lab);
  one.open = true;
  fields.onUpdate(() => {
    race.hidden = !sceneOf(store).controls.includes("sched");
    one.hidden = !race.hidden;
  });
  return el("div", {}, race, one);
}
