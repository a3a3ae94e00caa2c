// What goes along when the page is changed, and what each page finds again when one comes back.

const shared = new Map();
const own = new Map(); // a page's key to its values

const isShared = ({ along }, surface, name) =>
  along.names.includes(name) ||
  ["surface", "x", "y"].includes(name) ||
  name.includes(".") ||
  surface.params.some((p) => p.name === name);

export function remember(catalog, page, surface, values) {
  shared.clear();
  own.set(page, new Map());
  for (const [name, value] of values)
    (isShared(catalog, surface, name) ? shared : own.get(page)).set(name, value);
}

// The values that a page begins with, or null where no page was open before.
export const recall = (page) => (own.size ? new Map([...(own.get(page) ?? []), ...shared]) : null);
