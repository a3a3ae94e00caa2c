// The time that moves all views: play, pause, step, scrub, and the keys for it.
import { button, el } from "../words/format.js";

const SPEEDS = [5, 15, 40, 100, 300, 1000];

export class Clock {
  #t = 0;
  #playing = false;
  #last = 0;
  #frame = 0;

  // moved(isFrame): the time is another; in a frame of the animation it is drawn at once.
  constructor(lab, moved) {
    Object.assign(this, { lab, moved, steps: 1 });
    this.#build();
    this.#speeds();
    document.addEventListener("keydown", (event) => this.#key(event), { signal: lab.signal });
    lab.signal.addEventListener("abort", () => cancelAnimationFrame(this.#frame));
  }

  get time() {
    return this.#t;
  }

  // The whole step that is shown.
  get step() {
    return Math.min(this.steps, Math.floor(this.#t));
  }

  get isAtEnd() {
    return this.#t >= this.steps;
  }

  // Runs of so many steps; who watched the end of the last ones watches the end of these.
  setSteps(steps) {
    const { isAtEnd } = this;
    this.steps = steps;
    this.scrubber.max = steps;
    this.#t = isAtEnd ? steps : Math.min(this.#t, steps);
    this.#show();
  }

  // Runs that are new to the person: played from the start, or shown whole where less motion is
  // asked for. Nothing else may begin to play by itself.
  present() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.finish();
    else this.play(0);
  }

  play(from = this.isAtEnd ? 0 : this.#t) {
    this.#t = from;
    this.#playing = true;
    this.#last = 0;
    this.#tick();
    this.#show();
  }

  pause() {
    this.#playing = false;
    this.#show();
  }

  toggle() {
    if (this.#playing) this.pause();
    else this.play();
  }

  seek(t) {
    this.#t = Math.min(this.steps, Math.max(0, t));
    this.#show();
    this.moved(false);
  }

  stepBy(by) {
    this.pause();
    this.seek(by > 0 ? Math.floor(this.#t) + by : Math.ceil(this.#t) + by);
  }

  rewind() {
    this.pause();
    this.seek(0);
  }

  finish() {
    this.pause();
    this.seek(this.steps);
  }

  #tick() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame((now) => {
      if (!this.#playing) return;
      const passed = this.#last ? Math.min(0.1, (now - this.#last) / 1000) : 0;
      this.#last = now;
      this.#t = Math.min(this.steps, this.#t + passed * this.lab.store.number("speed"));
      if (this.isAtEnd) this.#playing = false;
      this.#show();
      this.moved(true);
      if (this.#playing) this.#tick();
    });
  }

  #show() {
    const { step, steps } = this;
    this.scrubber.value = this.#t;
    this.scrubber.setAttribute("aria-valuetext", `step ${step} of ${steps}`);
    this.clock.textContent = `step ${step} / ${steps}`;
    this.playButton.textContent = this.#playing ? "❚❚" : "▶";
    this.playButton.setAttribute("aria-label", this.#playing ? "Pause" : "Play");
    Object.assign(this.lab.root.dataset, { playing: this.#playing, step });
    this.lab.timed(step);
  }

  #build() {
    this.playButton = button("▶", "Play", () => this.toggle(), { class: "lab-play" });
    this.clock = el("output", { class: "lab-clock" });
    this.scrubber = el("input", {
      type: "range",
      min: 0,
      max: 1,
      step: "any",
      value: 0,
      class: "lab-scrub",
      "aria-label": "Step",
      oninput: () => {
        const t = Math.round(this.scrubber.valueAsNumber); // before pausing, which sets it
        this.pause();
        this.seek(t);
      },
    });
    this.element = el(
      "div",
      { class: "lab-transport" },
      this.playButton,
      button("|◀", "Back to the start (Home)", () => this.rewind()),
      button("‹", "One step back (←)", () => this.stepBy(-1)),
      button("›", "One step on (→)", () => this.stepBy(1)),
      this.scrubber,
      this.clock,
    );
  }

  // A link may have any speed.
  #speeds() {
    const { store, tools } = this.lab;
    const select = el("select", {
      "aria-label": "Speed",
      title: "Playback speed",
      onchange: () => store.put("speed", Number(select.value)),
    });
    const show = () => {
      const now = store.number("speed");
      const speeds = [...new Set([...SPEEDS, now])].sort((a, b) => a - b);
      if (select.options.length !== speeds.length)
        select.replaceChildren(...speeds.map((s) => el("option", { value: s }, `${s} steps/s`)));
      select.value = now;
    };
    store.subscribe(show);
    show();
    tools.append(select);
  }

  #key(event) {
    const { target, key, shiftKey } = event;
    const isModified = event.ctrlKey || event.metaKey || event.altKey;
    if (isModified || (target !== this.scrubber && isOwnKey(target, key))) return;
    const act = {
      " ": () => this.toggle(),
      ArrowRight: () => this.stepBy(shiftKey ? 10 : 1),
      ArrowLeft: () => this.stepBy(shiftKey ? -10 : -1),
      Home: () => this.rewind(),
      End: () => this.finish(),
    }[key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

// Whether a control does something by itself at a key. Sliders move by arrows; Home and End, which
// would throw away what is set, are the clock's.
function isOwnKey(target, key) {
  const control = target.closest?.(
    "input, textarea, select, button, summary, a, [contenteditable], [role=slider]",
  );
  if (!control) return false;
  if (control.matches("[type=range], [role=slider]")) return key.startsWith("Arrow");
  return !control.matches("[type=checkbox], button, summary, a") || key === " ";
}
