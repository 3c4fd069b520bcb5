/** Two screenshots, pixel by pixel. What compares them is installed with the apps. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
interface Png {
  readonly PNG: {
    new (size: { width: number; height: number }): Picture;
    readonly sync: { read(bytes: Buffer): Picture; write(picture: Picture): Buffer };
    /** Copies a part, from where it is in the one to where it shall be in the other. */
    bitblt(
      from: Picture,
      to: Picture,
      x: number,
      y: number,
      width: number,
      height: number,
      toX: number,
      toY: number,
    ): void;
  };
}
type PixelMatch = (
  one: Uint8Array,
  other: Uint8Array,
  difference: Uint8Array,
  width: number,
  height: number,
  options: { threshold: number },
) => number;

// They are no dependencies of the product, so the compiler cannot see them.
const installed = createRequire(join(import.meta.dirname, '../package.json'));

const png = () => (installed('pngjs') as Png).PNG;

/** The part of a screenshot that a frame is; what stands above it may end between two pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Cut from the whole, not by the browser: to take a part, Chromium moves the page under it and back, and on a busy machine
 * clicks into a frame went for a while to where it had been meanwhile.
 */
export function cut(screenshot: Buffer, box: Box): Buffer {
  const PNG = png();
  const [x, y] = [Math.round(box.x), Math.round(box.y)];
  const [width, height] = [Math.round(box.x + box.width) - x, Math.round(box.y + box.height) - y];
  const picture = new PNG({ width, height });
  PNG.bitblt(PNG.sync.read(screenshot), picture, x, y, width, height, 0, 0);
  return PNG.sync.write(picture);
}

/** Per pixel, 0 to 1: what antialiasing does. */
const threshold = 0.15;

/** @returns the share of pixels that differ, 1 for pictures of different sizes, and a picture of them. */
export async function difference(one: Buffer, other: Buffer): Promise<{ share: number; picture: Buffer }> {
  const PNG = png();
  const { default: pixelmatch } = (await import(pathToFileURL(installed.resolve('pixelmatch')).href)) as {
    default: PixelMatch;
  };
  const [a, b] = [PNG.sync.read(one), PNG.sync.read(other)];
  const { width, height } = a;
  if (width !== b.width || height !== b.height) return { share: 1, picture: other };
  const picture = new PNG({ width, height });
  const count = pixelmatch(a.data, b.data, picture.data, width, height, { threshold });
  return { share: count / (width * height), picture: PNG.sync.write(picture) };
}
