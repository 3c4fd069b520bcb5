/** The two of mocha's globals that the browser's unit tests use; the runner puts them into every test page. */
declare function describe(name: string, body: () => void): void;
declare function it(name: string, body: (this: { skip(): void }) => void | Promise<void>): void;
