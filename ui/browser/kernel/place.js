// Where the app is served: this file is at <base>lab/<version>/browser/kernel/.

const version = new URL("../../", import.meta.url);
const base = new URL("../../", version).href;
export const file = (name) => new URL(name, version).href;

// The key of the page at an address, by the pages of the catalog, or undefined.
export function pageAt({ pages }, { origin, pathname }) {
  const path = `${origin}${pathname}`.slice(base.length).replace(/\/$/, "");
  return Object.keys(pages).find((key) => pages[key].path === path);
}

export const addressOf = ({ pages }, key, query) => `${base}${pages[key].path}${query ? `?${query}` : ""}`;
