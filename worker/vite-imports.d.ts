/** Vite's way to name a bundled file: the import is its address. */
declare module '*.wasm?url' {
  const url: string;
  export default url;
}
