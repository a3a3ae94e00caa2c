// The controls of a page, in the order in which its fields are declared.
import { el } from "../words/format.js";
import { actions } from "./actions.js";
import { entries } from "./entries.js";
import { Fields } from "./fields.js";
import { optimizer } from "./optimizer.js";
import { penalty } from "./penalty.js";
import { race } from "./race.js";
import { schedule, schedules } from "./schedules.js";
import { surface } from "./surface.js";

const BUILDERS = { actions, entries, optimizer, penalty, race, schedule, schedules, surface };

export class Controls {
  constructor(lab) {
    const { root, store } = lab;
    const fields = new Fields(store);
    const parts = store.own.controls.map(([name, options]) => BUILDERS[name](fields, lab, options));
    root.append(el("div", { class: "lab-controls" }, ...parts));
    store.subscribe(() => fields.update());
    fields.update();
  }
}
