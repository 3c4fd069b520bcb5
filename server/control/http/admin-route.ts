/** The form that all routes of the admin API have. */
import { createRoute, z } from '@hono/zod-openapi';
import { storableField } from '../../channel/fields.ts';
import { answers, takes } from './respond.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The route of one address; `schema` is that of its answer. */
export function route<const P extends string, T extends z.ZodType>(method: Method, path: P, schema: T) {
  return createRoute({ method, path, responses: answers(schema, 'done') });
}

export function routeTaking<const P extends string, B extends z.ZodType, T extends z.ZodType>(
  method: Method,
  path: P,
  body: B,
  schema: T,
) {
  return createRoute({ method, path, request: takes(body), responses: answers(schema, 'done') });
}

/** An address that ends in the name of one thing. */
export const named = { params: z.object({ name: storableField(4_096) }) };
