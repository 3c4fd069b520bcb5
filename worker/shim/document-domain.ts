/**
 * A page that sets `document.domain`, as old transports do even to what it is already, is of the same origin with pages
 * alone that did so too: in Firefox it and its helper frame, which has its XMLHttpRequests in hand, could reach each other
 * no more. In Chromium it changes nothing any longer (HTML, "origin-keyed agent clusters"), and so it is here.
 */
import type { Page } from './page-requests.ts';

export function keepDomain({ Document: { prototype }, Proxy: PageProxy, originAgentCluster }: Page): void {
  // Left to the browser, which says so on the console.
  if (originAgentCluster) return;
  // Every browser has it (HTML, "relaxing the same-origin restriction").
  const native = Object.getOwnPropertyDescriptor(prototype, 'domain') as Required<PropertyDescriptor>;
  Object.defineProperty(prototype, 'domain', { ...native, set: new PageProxy(native.set, { apply: () => undefined }) });
}
