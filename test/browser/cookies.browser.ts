/** Script-visible cookies: mirrored into the browser's store and told back, in a real cookieStore. */
import { type CookieStoreLike, cookiesIn, writeInto } from '../../worker/sw/cookie-store.ts';
import { fromHeadText, toHeadText } from '../../worker/sw/cookies.ts';
import { same } from './support/expect.ts';

const store = (globalThis as unknown as { cookieStore: CookieStoreLike }).cookieStore;
/** What scripts of this page see. The runner sets no cookies of its own. */
const seen = () => document.cookie.split('; ').sort().join('; ');
const told = async () => toHeadText((await cookiesIn(store, location.href)).split('; ').sort().join('; '));
const mirrorCookies = (lines: readonly string[]) => writeInto(store, lines.map(fromHeadText));

async function forgetAll(): Promise<void> {
  await mirrorCookies(
    seen()
      .split('; ')
      .map((pair) => `${pair.split('=')[0]}=; Path=/; Max-Age=0`),
  );
  same(seen(), '');
}

describe('mirrored cookies', () => {
  it('are what scripts see, and go when they are taken back', async () => {
    await forgetAll();
    await mirrorCookies(['theme=dark; Path=/; SameSite=Lax', 'size=12; Path=/; Max-Age=3600; Secure']);
    same(seen(), 'size=12; theme=dark');
    same(await told(), 'size=12; theme=dark');
    await mirrorCookies(['theme=; Path=/; Max-Age=0', 'size=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT']);
    same(seen(), '');
  });

  it('keep values with equals signs and quotes as they are', async () => {
    await forgetAll();
    await mirrorCookies(['token=a=b==; Path=/', 'quoted="x y"; Path=/']);
    same(seen(), 'quoted="x y"; token=a=b==');
    await forgetAll();
  });

  it('carry UTF-8 both ways, as heads have it: a character for each byte', async () => {
    await forgetAll();
    const asHead = Array.from(new TextEncoder().encode('name=Zoë€'), (byte) => String.fromCharCode(byte)).join('');
    await mirrorCookies([`${asHead}; Path=/`]);
    same(seen(), 'name=Zoë€');
    same(await told(), asHead);
    await forgetAll();
  });

  it('the browser refuses one by one: a bad line costs no other its place', async () => {
    await forgetAll();
    await mirrorCookies([
      'good=1; Path=/',
      'bad\u0001=1; Path=/',
      `long=${'x'.repeat(5_000)}; Path=/`,
      'last=1; Path=/',
    ]);
    same(seen(), 'good=1; last=1');
    await forgetAll();
  });

  it('of another path are told with requests of that path only', async () => {
    await forgetAll();
    await mirrorCookies(['here=1; Path=/', 'elsewhere=1; Path=/nowhere/']);
    same(seen(), 'here=1');
    same(await told(), 'here=1');
    await mirrorCookies(['elsewhere=; Path=/nowhere/; Max-Age=0']);
    await forgetAll();
  });
});
