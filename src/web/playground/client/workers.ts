/** Addresses of the bundled workers by Monaco's label; `bundle.mjs` puts them in. */
declare const PLAYGROUND_WORKERS: Record<'editor' | 'graphql' | 'json', string>;

// Monaco looks for this global before it makes its first editor. Its own fallback is a blob: worker, which the
// page's Content-Security-Policy refuses.
Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) =>
      new Worker(PLAYGROUND_WORKERS[label === 'graphql' || label === 'json' ? label : 'editor'], { name: label }),
  },
});
