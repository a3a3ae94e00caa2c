// The schedule of the learning rate: one for all runs, or several that are compared.
import { el, say, swatch } from "./format.js";
import { mathml } from "./mathml.js";

const shared = (fields, catalog) =>
  catalog.shared.map((h) =>
    fields.field(
      { ...h, label: { warmup: "warm-up", warmup_from: "begins at", total: "planned" }[h.name] },
      h.name,
    ),
  );

const own = (fields, schedule) => schedule.hypers.map((h) => fields.field(h, `${schedule.key}.${h.name}`));

// One schedule, chosen from a list; what may be set of it follows the choice. fallback: the key of
// the one by default. Most links have none, so what is folded away is made when it is opened.
export function plan(fields, store, fallback = () => store.catalog.defaults.schedule) {
  const { schedules } = store.catalog;
  const current = () => store.text("schedule") ?? fallback();
  const word = el("span", {});
  fields.onUpdate(() => {
    const warmup = store.number("warmup", 0);
    say(
      word,
      schedules.find(({ key }) => key === current()).name.toLowerCase() +
        (warmup ? `, warm-up of ${warmup}` : ""),
    );
  });
  const box = (schedule) => {
    const made = el(
      "div",
      { class: "lab-params" },
      el("p", { class: "lab-about" }, schedule.about),
      mathml(schedule.formula),
      ...own(fields, schedule),
    );
    fields.onUpdate(() => (made.hidden = current() !== schedule.key));
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
        schedules.map(({ key, name }) => [key, name]),
        fallback,
      ),
      ...schedules.map(box),
      ...shared(fields, store.catalog),
    );
    fields.update();
  };
  fold.addEventListener("toggle", unfold);
  unfold();
  return fold;
}

// Several schedules, each with a switch and its own settings.
export function plans(fields, store, usual) {
  const { catalog } = store;
  const rows = catalog.schedules.map((schedule) => {
    const toggle = el("input", {
      type: "checkbox",
      "data-name": schedule.key,
      "aria-label": `Race ${schedule.name}`,
      onchange: () => store.choose("sched", usual, schedule.key, toggle.checked),
    });
    const more = `More of ${schedule.name}`;
    const card = el(
      "div",
      { class: "lab-racer lab-plan", style: { "--lab-color": schedule.color } },
      el(
        "label",
        { class: "lab-name", title: schedule.about },
        toggle,
        swatch(schedule),
        el("b", {}, schedule.name),
      ),
      el(
        "details",
        {},
        el("summary", { title: more, "aria-label": more }),
        mathml(schedule.formula),
        ...own(fields, schedule),
        el("p", {}, `${schedule.about} ${schedule.convention}`),
      ),
    );
    fields.onUpdate(() => {
      toggle.checked = store.chosen("sched", usual).includes(schedule.key);
      card.classList.toggle("lab-off", !toggle.checked);
    });
    return card;
  });
  return el(
    "div",
    { class: "lab-racers", role: "group", "aria-label": "Schedules" },
    ...rows,
    el("div", { class: "lab-params" }, ...shared(fields, catalog)),
  );
}
