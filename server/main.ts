#!/usr/bin/env node
/** What `latchkey` runs. The command line is imported when the cache is there to keep what is compiled of it. */
import { enableCompileCache } from 'node:module';
import { compileCache } from './compile-cache.ts';

enableCompileCache(compileCache);
await import('./latchkey.ts');
