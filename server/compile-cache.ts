/**
 * Where Node keeps what it compiled of our modules, so that a command or a restarted process does not compile them all
 * again: a third of a start's CPU. It is code, so it lies beside the code and is as trusted, not in the shared temporary
 * folder that is Node's default; where that cannot be written to, nothing is kept.
 */
import { join } from 'node:path';

export const compileCache = process.env['NODE_COMPILE_CACHE'] ?? join(import.meta.dirname, '../build/compile-cache');
