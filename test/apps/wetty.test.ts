/** WeTTY: a terminal over socket.io to a real sshd, under a policy that names the Host. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Place } from './harness/app.ts';
import { testRealApp } from './harness/test-real-app.ts';

testRealApp({
  name: 'wetty',
  start: async (place) => {
    const sshPort = await startSshd(place);
    const ssh = ['--ssh-host', '127.0.0.1', '--ssh-port', String(sshPort), '--ssh-user', userInfo().username];
    const key = ['--ssh-auth', 'publickey', '--ssh-key', join(place.folder, 'key'), '--known-hosts', '/dev/null'];
    const at = ['--host', '127.0.0.1', '--port', String(place.port), '--base', '/', '--force-ssh'];
    place.spawn(process.execPath, [place.installed('wetty/build/main.js'), ...ssh, ...key, ...at]);
    await place.answers();
  },
  visit: async (page) => {
    await page.see('.xterm-screen');
    await page.evaluate(said, 'ready> ');
    await page.click('.xterm-screen');
    await page.type('echo $((6 * 7)) is the answer');
    await page.press('Enter');
    await page.evaluate(said, '42 is the answer');
    await page.look('answered');
    await page.type('exit');
    await page.press('Enter');
    await page.evaluate(said, 'closed.');
  },
  mayDiffer: [
    { part: 'request', pattern: /^GET \/sw\.js .*$/, why: 'an app has no service worker of its own (decision 0012)' },
    {
      part: 'request',
      pattern: /^GET \/client\/(?:manifest\.json|wetty\.svg) .*$/,
      why: 'of a frame nobody makes an app',
    },
    { part: 'request', pattern: /(?<=[?&](?:t|sid)=)[^& ]*/g, why: 'socket.io names each connection anew' },
    { part: 'request', pattern: /^POST \/socket\.io\/.*$/, why: 'how often it polls before it upgrades is chance' },
    { part: 'socket', pattern: /(?<=[?&]sid=)[^& ]*/, why: 'as above' },
    { part: 'socket', pattern: /^[<>] text [23]$/, why: 'a heartbeat, every so often' },
    {
      part: 'socket',
      pattern: /^(?:< text 42\["login"\]|> text 42\["resize",.*)$/,
      why: 'said in a poll, or when it has upgraded',
    },
    {
      part: 'socket',
      pattern: /^(?:< text 42\["data",[\s\S]*|> text 42\["commit",.*)$/,
      why: 'a terminal’s output comes in pieces of any size; that it came is seen in the document',
    },
  ],
});

async function startSshd(place: Place): Promise<number> {
  const port = await place.freePort();
  const at = (name: string) => join(place.folder, name);
  for (const name of ['key', 'host-key'])
    execFileSync('/usr/bin/ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)], { stdio: 'ignore' });
  const config = [
    ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${at('host-key')}`, `AuthorizedKeysFile ${at('key')}.pub`],
    ...['PidFile none', 'StrictModes no', 'UsePAM no', 'PrintMotd no', 'PrintLastLog no'],
    ...['PermitRootLogin prohibit-password', "ForceCommand env -i HOME=/ TERM=dumb PS1='ready> ' /bin/sh -i"],
  ];
  writeFileSync(at('sshd_config'), config.join('\n'));
  // Where it keeps its children without rights; Debian's start script makes it.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  place.spawn('/usr/sbin/sshd', ['-D', '-e', '-f', at('sshd_config')]);
  return port;
}

/** Resolves when the terminal shows this. */
async function said(text: string): Promise<void> {
  const shows = () => {
    const { wetty_term: terminal } = window as unknown as { wetty_term?: { buffer: { active: Buffer } } };
    type Buffer = { length: number; getLine(y: number): { translateToString(trim: boolean): string } | undefined };
    const buffer = terminal?.buffer.active;
    if (buffer === undefined) return false;
    return Array.from({ length: buffer.length }, (_, y) => buffer.getLine(y)?.translateToString(false))
      .join('\n')
      .includes(text);
  };
  while (!shows()) await new Promise(requestAnimationFrame);
}
