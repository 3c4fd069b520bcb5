/**
 * An app's window as a script drives it: the same few verbs whether the app was opened directly or through Latchkey, and
 * whichever browser it is.
 */
export interface AppPage {
  /** Opens an address of the app, as its page leads there. */
  goto(path: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs in the window. */
  evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  /** Waits until an element is visible: a CSS selector, or `text=…`. */
  see(selector: string): Promise<void>;
  /** Waits until it is not. */
  unsee(selector: string): Promise<void>;
  /** The first visible one. */
  click(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  /** Keys, one after another, to whatever has the focus. */
  type(text: string): Promise<void>;
  press(key: string): Promise<void>;
  /** A window inside a frame of the app. */
  inner(selector: string): AppPage;
  /** Clicks, and returns the window that opens. */
  popUp(selector: string): Promise<AppPage>;
  /** Clicks, and returns the file that comes of it. */
  download(selector: string): Promise<Buffer>;
  /** Everything a person could see or a script could read is written down under this name and compared. */
  look(name: string): Promise<void>;
}

/** What {@link AppPage.look} writes down. */
export interface Look {
  readonly name: string;
  readonly dom: string;
  /** As a script reads it. */
  readonly cookies: string;
  readonly png: Buffer;
}
