async function* nothing(): AsyncGenerator<never> {}

/** A stream without events that says when it is ended. */
export const endingWith = (ended: () => void): AsyncGenerator<never> =>
  Object.assign(nothing(), {
    return: async () => {
      ended();
      return { value: undefined, done: true as const };
    },
  });
