/** Sign-ins over HTTP, several people at once; the browsers' own signatures are part of the time. */
import { Browser } from '../../server/control/browser.ts';
import { Installation } from '../../server/control/installation.ts';

const [people, each] = [8, 25];

export async function loginsPerSecond(): Promise<number> {
  const installation = await new Installation().start();
  try {
    const browsers: Browser[] = [];
    for (let n = 0; n < people; n++) {
      const browser = new Browser(installation, 'ES256', 0);
      const { body } = await installation.admin('POST', '/admin/enrolments', { name: `Person ${n}` });
      await browser.enrol(body.url);
      browsers.push(browser);
    }
    let spent = 0;
    for (let round = 0; round < each; round++) {
      // Time stands still in between, and with it the limit on strangers.
      installation.clock.advance(10_000);
      const begun = performance.now();
      const answers = await Promise.all(browsers.map((browser) => browser.login()));
      spent += performance.now() - begun;
      if (answers.some(({ status }) => status !== 200)) throw new Error('a sign-in was refused');
    }
    return (people * each) / (spent / 1_000);
  } finally {
    await installation.stop();
    installation.remove();
  }
}
