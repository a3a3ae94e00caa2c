// How an outcome is said in few words.

const WORDS = {
  minimum: () => "at a minimum",
  saddle: () => "stuck, not at a minimum",
  plateau: () => "on a plateau",
  cycle: ({ period }) => `in a cycle of ${period}`,
  diverged: ({ step }) => (step === null ? "diverging" : `diverged, overflow at step ${step}`),
  undefined: ({ step }) => `undefined, 0/0 at step ${step}`,
  moving: () => "still moving",
};

export const inWords = (run) => WORDS[run.kind](run);
