/** Vite's way to name a bundled Worker: the import is its address. */
declare module '*?worker&url' {
  const url: string;
  export default url;
}
