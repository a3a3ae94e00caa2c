// The connection to the server. Streamlit tells its components nothing of it: this attribute of its
// own page is the only sign.
const SIGN = "data-test-connection-state";
const place = () => document.querySelector(`[${SIGN}]`);

export const isConnected = () => place()?.getAttribute(SIGN) === "CONNECTED";

// Calls `act` each time that a lost connection is there again.
export function onReconnect(act) {
  let isLost = false;
  new MutationObserver(() => {
    const isThere = isConnected();
    if (isThere && isLost) act();
    isLost = !isThere;
  }).observe(place(), { attributes: true, attributeFilter: [SIGN] });
}
