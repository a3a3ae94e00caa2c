// Fingers, mouse and keyboard on the two views: drag or set the start, hover, scrub, keys.
import { el, number, placeTip, point } from "./format.js";

const GRAB = { mouse: 16, touch: 30, pen: 24 }; // pixels around the start that take hold of it
const CLICK = 6; // pixels that a press may wander and still be a click
const NEAR = 14; // pixels around a step within which it is the one hovered

export class Hand {
  drag = null; // { id, start } while the start marker is held
  hover = null; // { stage, run, i }
  #pressed = null;
  #abort = new AbortController();

  constructor(player) {
    this.player = player;
    this.tip = el("div", { class: "lab-tip", hidden: true });
    const { main, loss } = player;
    const timed = [loss, player.ratePlot.stage]; // a press on them is a step
    const { signal } = this.#abort;
    const on = (target, type, act, options = {}) =>
      target.addEventListener(type, act, { signal, ...options });
    on(main.host, "pointerdown", (event) => this.#press(event), { capture: true });
    // In the capture phase, before Plotly's own layers see them and begin to pan.
    for (const type of ["mousedown", "touchstart"])
      on(main.host, type, (event) => this.drag && swallow(event), { capture: true, passive: false });
    // Plotly lays a cover over the page while it pans, so moves are followed on the window.
    on(window, "pointermove", (event) => this.drag?.id === event.pointerId && this.#moveStart(event));
    on(window, "pointerup", (event) => this.#release(event));
    on(window, "pointercancel", () => this.#endDrag());
    for (const stage of [main, ...timed]) {
      on(stage.host, "pointermove", (event) => this.#move(stage, event));
      // A finger leaves with every tap, and its tip is to stay.
      on(stage.host, "pointerleave", (event) => event.pointerType === "mouse" && this.#show(null));
    }
    for (const stage of timed) {
      on(stage.host, "pointerdown", (event) => {
        if (event.button > 0 || !stage.ready) return;
        stage.host.setPointerCapture(event.pointerId);
        this.#scrub(stage, event);
      });
      on(stage.host, "pointermove", (event) => event.buttons && this.#scrub(stage, event));
    }
    on(document, "keydown", (event) => this.#key(event));
  }

  close() {
    this.#abort.abort();
  }

  #holds(event) {
    const { x, y } = this.player.main.at(event.clientX, event.clientY);
    const [sx, sy] = this.player.startPixels();
    return Math.hypot(x - sx, y - sy) <= (GRAB[event.pointerType] ?? GRAB.mouse);
  }

  #inFrame(event) {
    const { x, y } = this.player.main.at(event.clientX, event.clientY);
    const { left, top, width, height } = this.player.main.frame;
    return x >= left && x <= left + width && y >= top && y <= top + height;
  }

  #press(event) {
    const { player } = this;
    if (!player.ready || event.button > 0 || !this.#inFrame(event)) return;
    this.#pressed = { x: event.clientX, y: event.clientY, id: event.pointerId };
    this.#show(null);
    if (!this.#holds(event)) return;
    this.drag = { id: event.pointerId, start: player.store.start };
    player.root.classList.add("lab-dragging");
  }

  #release(event) {
    const pressed = this.#pressed;
    this.#pressed = null;
    if (this.drag) return this.#endDrag();
    if (pressed?.id !== event.pointerId) return undefined;
    if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) >= CLICK) return undefined;
    const { main } = this.player;
    const { x, y } = main.at(event.clientX, event.clientY);
    // There is no hovering with a finger: a tap on a step shows it, any other sets the start.
    const found = event.pointerType === "mouse" ? null : this.#nearest(main, x, y);
    return found ? this.#show(found, event) : this.#moveStart(event);
  }

  #endDrag() {
    if (!this.drag) return;
    this.drag = null;
    this.player.root.classList.remove("lab-dragging");
    this.player.main.paint();
  }

  // To a thousandth of what is in view: finer than a pixel, and short in the link.
  #moveStart(event) {
    const { main, store, surface } = this.player;
    const { data } = main.at(event.clientX, event.clientY);
    const start = data.slice(0, surface.dim).map((value, i) => {
      const [a, b] = main.window[i];
      const unit = 10 ** Math.floor(Math.log10(Math.abs(b - a) / 1000));
      return Number((Math.round(value / unit) * unit).toPrecision(digitsFor(value, unit)));
    });
    if (this.drag) this.drag.start = start;
    main.paint();
    store.set(Object.fromEntries(start.map((value, i) => ["xy"[i], value])));
  }

  #move(stage, event) {
    if (this.drag || event.buttons || event.pointerType !== "mouse" || !this.player.ready || !stage.ready)
      return;
    const { x, y } = stage.at(event.clientX, event.clientY);
    this.#show(this.#nearest(stage, x, y), event);
    if (stage === this.player.main) stage.host.classList.toggle("lab-grab", this.#holds(event));
  }

  #nearest(stage, x, y) {
    let best = null;
    let distance = NEAR ** 2;
    const last = this.player.shownStep;
    const [toX, toY] = [stage.scale("x"), stage.scale("y")];
    for (const { run, xs, ys } of this.player.curves(stage))
      for (let i = 0; i <= last; i++) {
        const d = (toX(xs[i]) - x) ** 2 + (toY(ys[i]) - y) ** 2;
        if (d < distance) [best, distance] = [{ stage, run, i }, d];
      }
    return best;
  }

  #show(found, event) {
    if (!found && !this.hover) return;
    this.hover = found;
    this.player.repaint();
    this.tip.hidden = !found;
    if (!found) return;
    const { run, i } = found;
    const ink = this.player.colors.ink(run.look.color);
    const rows = [
      ["step", String(i)],
      [
        "position",
        point(
          run.path.map((row) => row[i]),
          (value, j) => this.#digits(value, j),
        ),
      ],
      ["loss", number(run.losses[i], run.path.length === 1 ? this.#digits(run.losses[i], 1) : 5)],
      ["gradient norm", number(run.slopes[i], 3)],
      ...(run.rates?.[i] === undefined ? [] : [["rate", number(run.rates[i], 4)]]),
    ];
    this.tip.replaceChildren(
      el("strong", { style: { color: ink } }, run.look.name),
      ...rows.map(([name, value]) => el("div", {}, el("span", {}, name), ` ${value}`)),
    );
    placeTip(this.tip, this.player.root, event);
  }

  // Five, and in a narrow window as many as tell a thousandth of it.
  #digits(value, side) {
    const [low, high] = this.player.main.window[side];
    return Math.max(5, digitsFor(value, (high - low) / 1000));
  }

  drawHover(context, stage) {
    if (this.hover?.stage !== stage) return;
    const curve = this.player.curves(stage).find(({ run }) => run === this.hover.run);
    if (!curve) return;
    context.beginPath();
    context.arc(stage.x(curve.xs[this.hover.i]), stage.y(curve.ys[this.hover.i]), 8, 0, 7);
    context.lineWidth = 3;
    context.strokeStyle = this.player.colors.text;
    context.stroke();
  }

  #scrub(stage, event) {
    this.player.pause();
    this.player.seek(Math.round(stage.at(event.clientX, event.clientY).data[0]));
  }

  #key(event) {
    const { player } = this;
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target !== player.scrubber && isOwnKey(target, event.key)) return;
    const act = {
      " ": () => player.toggle(),
      ArrowRight: () => player.step(event.shiftKey ? 10 : 1),
      ArrowLeft: () => player.step(event.shiftKey ? -10 : -1),
      Home: () => player.rewind(),
      End: () => player.finish(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

// How many digits a number has down to a place as small as `unit`.
const digitsFor = (value, unit) => {
  const digits = Math.ceil(Math.log10(Math.abs(value) / unit)) + 1;
  return Number.isFinite(digits) ? Math.min(17, Math.max(1, digits)) : 1;
};

// Whether a control does something by itself at a key. Sliders move by arrows; Home and End, which
// would throw away what is set, are the player's.
function isOwnKey(target, key) {
  const control = target.closest?.(
    "input, textarea, select, button, summary, a, [contenteditable], [role=slider]",
  );
  if (!control) return false;
  if (control.matches("[type=range], [role=slider]")) return key.startsWith("Arrow");
  return !control.matches("[type=checkbox], button, summary, a") || key === " ";
}

const swallow = (event) => {
  event.preventDefault();
  event.stopPropagation();
};
