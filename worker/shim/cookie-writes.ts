/** Notes the path of each cookie that a script of the app writes (cookie-paths.ts). To the script nothing is different. */
import { noteOf } from './cookie-paths.ts';
import { apply, defineProperty, getOwnPropertyDescriptor } from './realm.ts';

export function noteCookieWrites({ Document: { prototype } }: Window & typeof globalThis): void {
  // Every browser has it (HTML, "Resource metadata management").
  const native = getOwnPropertyDescriptor(prototype, 'cookie') as Required<PropertyDescriptor>;
  const set = new Proxy(native.set, {
    apply(write, page, [value]) {
      const line = `${value}`;
      apply(write, page, [line]);
      const note = noteOf(line, location.pathname);
      if (note !== undefined) apply(write, document, [note]);
    },
  });
  defineProperty(prototype, 'cookie', { ...native, set });
}
