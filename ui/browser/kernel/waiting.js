// Part of the page itself, before any connection: says what is wrong where the page has come and its
// live connection does not, as behind a proxy that lets no WebSocket through.
import { isConnected } from "./connection.js";

const PATIENCE = 5000; // ms
const LOOK = 250; // ms

export function watchConnection() {
  const said = document.createElement("p");
  said.setAttribute("role", "alert");
  said.setAttribute("data-lab-unconnected", "");
  said.style.cssText =
    "position: fixed; z-index: 1000000; inset: 0 0 auto; margin: 0; padding: 14px 18px; font: 16px/1.5 sans-serif; color: #222; background: #ffe3d1; border-bottom: 3px solid #d55e00;";
  said.textContent =
    `The page has loaded, but no live connection to ${location.host} gets through. A proxy or firewall on the way may block ` +
    "WebSockets: ask whoever runs the server or the network to let them pass. The page goes on by itself when one does.";

  const began = performance.now();
  const timer = setInterval(() => {
    if (isConnected()) {
      clearInterval(timer);
      said.remove();
    } else if (!said.isConnected && performance.now() - began > PATIENCE) document.body.append(said);
  }, LOOK);
}
