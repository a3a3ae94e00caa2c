// "Tune each": every optimizer gets its best learning rate of the same trial runs, and a bar shows
// which other rates would have worked.
import { el, number } from "../../browser/words/format.js";

export default class TuningPanel {
  #asked = false;

  constructor(lab) {
    this.lab = lab;
    this.body = el("div", { class: "lab-tunings" });
    this.says = el("p", {});
    this.element = el(
      "section",
      { class: "lab-tuning", "aria-label": "Working learning rates", hidden: true },
      this.says,
      this.body,
    );
    lab.below.append(this.element);
  }

  // The trials are run by the server; their best rates are taken over when they arrive.
  ask() {
    this.#asked = true;
    if (this.tuning) this.#take();
    else this.lab.store.set({ tuned: 1 });
  }

  settle() {
    const { tuning } = this.lab.part("tuning")?.header ?? {};
    this.element.hidden = !tuning;
    this.tuning = tuning;
    if (!tuning) return;
    const { rates, trials, each } = tuning;
    const known = each.length > 0;
    this.says.textContent = known
      ? `Fair tuning: ${trials} trial runs for each, with learning rates from ${number(rates[0])} to ${number(rates[1])}. Colored: the final loss is within 10 × of that method's best; hatched: it overflowed. The wider the bar, the less the rate matters.`
      : this.lab.runs.length
        ? "No lowest loss is known here, so no learning rate is the best."
        : "Choose an optimizer to tune.";
    this.body.replaceChildren(...each.map((one) => this.#row(one, rates)));
    if (this.#asked && known) this.#take();
  }

  #take() {
    this.#asked = false;
    const found = this.tuning.each.filter(({ lr }) => lr !== null);
    this.lab.store.set(Object.fromEntries(found.map(({ key, lr }) => [`${key}.lr`, lr])));
  }

  #row({ key, lr, loss, decades, fates }, rates) {
    const { name, color } = this.lab.store.entries.find((entry) => entry.key === key);
    const bar = el("canvas", {
      class: "lab-tunebar",
      width: 4 * fates.length,
      height: 36,
      "aria-hidden": "true",
    });
    const context = bar.getContext("2d");
    [...fates].forEach((fate, i) => {
      context.fillStyle = {
        w: color,
        ".": "rgba(128,128,128,.28)",
        x: i % 2 ? "rgba(128,128,128,.28)" : "transparent",
      }[fate];
      context.fillRect(4 * i, 0, 4, 36);
    });
    const place = Math.log(lr / rates[0]) / Math.log(rates[1] / rates[0]);
    const mark = lr === null ? "" : el("i", { style: { left: `${100 * place}%` } });
    const words =
      lr === null
        ? "every rate diverged"
        : `best ${number(lr)}, loss ${number(loss, 3)}, ${number(decades, 2)} decades work`;
    return el(
      "div",
      { class: "lab-tunerow", "data-tuned": key },
      el("b", {}, name),
      el("div", { class: "lab-tunetrack" }, bar, mark),
      el("span", {}, words),
    );
  }
}
