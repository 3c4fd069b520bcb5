/**
 * The admin API for these pages, typed by the OpenAPI document that the hub serves (openapi.d.ts is that document, which a
 * test compares): an address that is not there, or a field that is misspelt, does not compile.
 */

import { call } from '../hub/api.ts';
import type { Device } from '../hub/device.ts';
import { signedRequest } from '../hub/signed-call.ts';
import type { HubDocument } from './openapi.d.ts';

type Paths = HubDocument['paths'];
type Schemas = HubDocument['components']['schemas'];

/** The TypeScript type of a JSON Schema, as far as our documents use them. */
type Of<S> = S extends { $ref: `#/components/schemas/${infer N extends keyof Schemas & string}` }
  ? Of<Schemas[N]>
  : S extends { anyOf: infer A extends readonly unknown[] }
    ? Of<A[number]>
    : S extends { enum: infer E extends readonly unknown[] }
      ? E[number]
      : S extends { type: 'array'; items: infer I }
        ? readonly Of<I>[]
        : S extends { type: 'object' }
          ? Fields<S>
          : S extends { type: 'string' }
            ? string
            : S extends { type: 'number' | 'integer' }
              ? number
              : S extends { type: 'boolean' }
                ? boolean
                : unknown;
type Fields<S> = S extends { properties: infer P; required: infer R extends readonly string[] }
  ? { readonly [K in keyof P & R[number]]: Of<P[K]> } & { readonly [K in Exclude<keyof P, R[number]>]?: Of<P[K]> }
  : S extends { properties: infer P }
    ? { readonly [K in keyof P]?: Of<P[K]> }
    : S extends { additionalProperties: infer V }
      ? Readonly<Record<string, Of<V>>>
      : object;
type Json<T> = T extends { content: { 'application/json': { schema: infer S } } } ? Of<S> : never;
type Answer<O> = O extends { responses: { 200: infer R } } ? Json<R> : never;
type Body<O> = O extends { requestBody: infer B } ? Json<B> : undefined;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** Addresses of the admin API that take a method. */
type With<M extends Method> = {
  [P in keyof Paths & `/api/admin/${string}`]: M extends keyof Paths[P] ? P : never;
}[keyof Paths & `/api/admin/${string}`];
type Operation<P, M extends Method> = P extends keyof Paths ? (M extends keyof Paths[P] ? Paths[P][M] : never) : never;

/** A shape of the document, by name. */
export type Shape<N extends keyof Schemas> = Of<Schemas[N]>;
type Query = Readonly<Record<string, string | number | undefined>>;

/** @throws ApiError */
export function read<P extends With<'get'>>(path: P, query: Query = {}): Promise<Answer<Operation<P, 'get'>>> {
  return call('GET', path + searchOf(query));
}

/** Signed by the device key. @param name fills `{name}` of the address. @throws ApiError */
export function change<M extends Exclude<Method, 'get'>, P extends With<M>>(
  device: Device,
  method: M,
  path: P,
  { name = '', body, query = {} }: { name?: string; body?: Body<Operation<P, M>>; query?: Query } = {},
): Promise<Answer<Operation<P, M>>> {
  const address = path.replace('{name}', encodeURIComponent(name)) + searchOf(query);
  return signedRequest(device, method.toUpperCase(), address, body);
}

function searchOf(query: Query): string {
  const said = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)]],
  );
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`;
}
