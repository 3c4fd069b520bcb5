/** What each list of the administration shows of its things, and what can be done to them. */

import type { Device } from '../hub/device.ts';
import { change, read, type Shape } from './client.ts';
import type { Row, Source } from './rows.ts';

/** Something that is taken away is asked for once more, with a reason where the log keeps one. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly verb: string;
  readonly takesReason: boolean;
  run(reason: string | undefined): Promise<unknown>;
}

/** What a list's actions need of its page. */
export interface Doing {
  readonly device: Device;
  ask(question: Question): void;
  /** Does it and asks for the list again. */
  now(run: () => Promise<unknown>): void;
  /** Shows a link that is told once. */
  tell(title: string, url: string): void;
}

export interface ListKind {
  readonly name: string;
  readonly title: string;
  /** Whose duty it is. */
  readonly role: string;
  readonly nothingYet: string;
  /** Asked again every other second. */
  readonly isLive?: boolean;
  readonly isSearched?: boolean;
  source(doing: Doing, search: string): Source;
}

const moment = (ms: number): string => new Date(ms).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

function people({ device, ask, tell, now }: Doing, search: string): Source {
  return async (offset, limit) => {
    const { users, total } = await read('/api/admin/users', { search, offset, limit });
    const rows = users.map(({ id, name, groups, roles, disabled, disabledAt, reason, devices }): Row => {
      const invite = () =>
        now(async () => {
          const body = { user: id, approval: false };
          const { url } = await change(device, 'post', '/api/admin/enrolments', { body });
          tell(`A link for another device of ${name}`, url);
        });
      const recover = () =>
        ask({
          ...{ title: `A recovery link for ${name}?`, verb: 'Make the link', takesReason: false },
          text: 'Whoever uses it, within an hour, is this person from then on: every device they had before is out. Hand it over in person or by another way that is sure.',
          run: async () => {
            const body = { user: id, recovery: true };
            const { url } = await change(device, 'post', '/api/admin/enrolments', { body });
            tell(`A recovery link for ${name}, for an hour`, url);
          },
        });
      const revoke = () =>
        ask({
          ...{ title: `Take ${name} out?`, verb: 'Take out', takesReason: true },
          text: 'Everything they have open is closed at once, and they sign in no more.',
          run: (reason) => change(device, 'delete', '/api/admin/users/{name}', { name: id, query: { reason } }),
        });
      return {
        ...{ id, title: name },
        detail: [
          plural(devices.length, 'device'),
          ...groups,
          ...roles.map((role) => `role ${role}`),
          ...(disabledAt === undefined ? [] : [`taken out ${moment(disabledAt)}`]),
          ...(reason === undefined ? [] : [reason]),
        ].join(' · '),
        ...(disabled && { state: { text: 'Out', tone: 'bad' as const } }),
        actions: disabled
          ? []
          : [
              { label: 'Invite', run: invite },
              { label: 'Recover', run: recover },
              { label: 'Take out', run: revoke },
            ],
      };
    });
    return { rows, total };
  };
}

const deviceStates = { waiting: 'warn', approved: 'good', revoked: 'bad' } as const;

function devices({ device, ask, now }: Doing, search: string): Source {
  return async (offset, limit) => {
    const answer = await read('/api/admin/devices', { search, offset, limit });
    const rows = answer.devices.map((one): Row => {
      const { id, name, userName, state, lastSignIn, createdAt, backupEligible, attested } = one;
      const title = name === '' ? `Device of ${userName}` : `${name} of ${userName}`;
      const approve = () =>
        now(() => change(device, 'post', '/api/admin/devices/{name}/approve', { name: id, body: {} }));
      const rename = () =>
        ask({
          ...{ title: `A name for this device of ${userName}`, text: 'What its person would call it.', verb: 'Name' },
          takesReason: true,
          run: (text = '') =>
            change(device, 'post', '/api/admin/devices/{name}/name', { name: id, body: { name: text } }),
        });
      const revoke = () =>
        ask({
          ...{ title: `Revoke ${title}?`, verb: 'Revoke', takesReason: true },
          text: 'Everything it has open is closed at once. Its person signs in with another device, or by a new link.',
          run: (reason) => change(device, 'delete', '/api/admin/devices/{name}', { name: id, query: { reason } }),
        });
      const archive = () =>
        now(() => change(device, 'post', '/api/admin/devices/{name}/archive', { name: id, body: {} }));
      return {
        ...{ id, title },
        state: { text: state, tone: deviceStates[state] },
        detail: [
          lastSignIn === undefined ? `enrolled ${moment(createdAt)}` : `last sign-in ${moment(lastSignIn)}`,
          backupEligible === true ? 'synced passkey' : 'passkey bound to the device',
          ...(attested === true ? ['attested by its maker'] : []),
        ].join(' · '),
        actions:
          state === 'revoked'
            ? [{ label: 'Archive', run: archive }]
            : [
                ...(state === 'waiting' ? [{ label: 'Approve', run: approve }] : []),
                { label: 'Name', run: rename },
                { label: 'Revoke', run: revoke },
              ],
      };
    });
    return { rows, total: answer.total };
  };
}

function services({ device, ask, now }: Doing, search: string): Source {
  return async (offset, limit) => {
    const answer = await read('/api/admin/services', { search, offset, limit });
    const rows = answer.services.map(({ name, title, url, suspended }): Row => {
      const suspend = () =>
        ask({
          ...{ title: `Suspend ${title}?`, verb: 'Suspend', takesReason: true },
          text: 'Nobody opens it until it is resumed, and what is open ends at once.',
          run: (reason) =>
            change(device, 'post', '/api/admin/services/{name}/suspend', {
              name,
              body: reason === undefined ? {} : { reason },
            }),
        });
      const resume = () => now(() => change(device, 'post', '/api/admin/services/{name}/resume', { name, body: {} }));
      const remove = () =>
        ask({
          ...{ title: `Remove ${title}?`, verb: 'Remove', takesReason: false },
          text: 'What is open ends at once, and links to it open nothing.',
          run: () => change(device, 'delete', '/api/admin/services/{name}', { name }),
        });
      return {
        ...{ id: name, title, detail: name === title ? url : `${name} · ${url}` },
        ...(suspended && { state: { text: 'suspended', tone: 'warn' as const } }),
        actions: [
          suspended ? { label: 'Resume', run: resume } : { label: 'Suspend', run: suspend },
          { label: 'Remove', run: remove },
        ],
      };
    });
    return { rows, total: answer.total };
  };
}

/** The terms of a link in one line. */
export function termsOf(link: Shape<'Link'>): string {
  return [
    link.kiosk ? 'kiosk' : 'makes a passkey',
    ...(link.readOnly ? ['reading only'] : []),
    ...(link.approval ? ['behind a door'] : []),
    ...link.hours.map((hours) => `${hours} ${link.zone}`),
    ...(link.recipient === undefined ? [] : [`for ${link.recipient}`]),
  ].join(', ');
}

const linkStates = { live: 'good', used: 'plain', expired: 'plain', revoked: 'bad' } as const;

function links({ device, ask }: Doing, search: string): Source {
  return async (offset, limit) => {
    const answer = await read('/api/admin/links', { search, offset, limit });
    const rows = answer.links.map((link): Row => {
      const { id, state, used, maxUses, expiresAt } = link;
      const title = link.services.join(', ');
      const revoke = () =>
        ask({
          ...{ title: `Revoke the link to ${title}?`, verb: 'Revoke', takesReason: true },
          text: 'Nobody comes by it any more, and whoever came by it is out at once.',
          run: (reason) => change(device, 'delete', '/api/admin/links/{name}', { name: id, query: { reason } }),
        });
      return {
        ...{ id, title, state: { text: state, tone: linkStates[state] } },
        detail: `${used} of ${plural(maxUses, 'use')} · until ${moment(expiresAt)} · ${termsOf(link)}`,
        actions: state === 'revoked' || state === 'expired' ? [] : [{ label: 'Revoke', run: revoke }],
      };
    });
    return { rows, total: answer.total };
  };
}

function sessions({ device, ask }: Doing, search: string): Source {
  return async (offset, limit) => {
    const answer = await read('/api/admin/sessions', { search, offset, limit });
    const rows = answer.sessions.map(({ id, name, service, since, actor, traffic }): Row => {
      const who = name === '' || actor.includes('/guest/') ? 'A guest' : name;
      const cut = () =>
        ask({
          ...{ title: `Cut ${who} off ${service}?`, verb: 'Cut', takesReason: false },
          text: 'The tunnel and everything in it end at once.',
          run: () => change(device, 'delete', '/api/admin/sessions/{name}', { name: id }),
        });
      const moved =
        traffic === undefined
          ? 'no tunnel'
          : `${bytes(traffic.bytesIn)} in, ${bytes(traffic.bytesOut)} out · ${plural(traffic.streams, 'stream')} · ${traffic.address}`;
      return {
        ...{ id, title: `${who} · ${service}` },
        state: traffic === undefined ? { text: 'away', tone: 'plain' } : { text: 'open', tone: 'good' },
        detail: `since ${moment(since)} · ${moved}`,
        actions: [{ label: 'Cut', run: cut }],
      };
    });
    return { rows, total: answer.total };
  };
}

function knocks({ device, now }: Doing): Source {
  return async (offset, limit) => {
    const all = (await read('/api/admin/knocks')).knocks;
    const rows = all.slice(offset, offset + limit).map(({ id, name, code, address, at }): Row => {
      const decide = (verb: 'approve' | 'refuse') =>
        now(() => change(device, 'post', `/api/admin/knocks/{name}/${verb}`, { name: id, body: {} }));
      return {
        ...{ id, title: `${name} · ${code}` },
        detail: `${address} · ${moment(at)} · their page shows the same number`,
        actions: [
          { label: 'Let in', run: () => decide('approve') },
          { label: 'Refuse', run: () => decide('refuse') },
        ],
      };
    });
    return { rows, total: all.length };
  };
}

export const lists: readonly ListKind[] = [
  {
    ...{ name: 'sessions', title: 'Live sessions', role: 'manager', isLive: true, isSearched: true, source: sessions },
    nothingYet: 'Nobody has anything open.',
  },
  {
    ...{ name: 'links', title: 'Links', role: 'manager', isSearched: true, source: links },
    nothingYet: 'There is no link. Make one for a guest above.',
  },
  {
    ...{ name: 'knocks', title: 'At the door', role: 'manager', isLive: true, source: knocks },
    nothingYet: 'Nobody is at the door.',
  },
  {
    ...{ name: 'people', title: 'People', role: 'manager', isSearched: true, source: people },
    nothingYet: 'Nobody is called that.',
  },
  {
    ...{ name: 'devices', title: 'Devices', role: 'manager', isSearched: true, source: devices },
    nothingYet: 'No device is called that.',
  },
  {
    ...{ name: 'services', title: 'Services', role: 'manager', isSearched: true, source: services },
    nothingYet: 'No service is called that.',
  },
];
