// What a page asks the server: addresses that are the same for equal states, so that they are kept.
import { file } from "./place.js";

// wishes: what is asked for beside the state, by names that no link has.
const asked = (query, wishes) =>
  [
    ...(query ? [query] : []),
    ...Object.entries(wishes)
      .filter(([, value]) => value)
      .map(([name, value]) => `_${name}=${value}`),
  ].join("&");

export const answerAddress = (page, query, wishes = {}) => file(`answer/${page}?${asked(query, wishes)}`);

export const largeAddress = (page, panel, query, wishes = {}) =>
  file(`answer/${page}/${panel}?${asked(query, wishes)}`);

export const jobAddress = (page, panel, query, wishes) =>
  file(`job/${page}/${panel}?${asked(query, wishes)}`);
