/**
 * `latchkey policy check|test|apply|show|explain|simulate`: who may open what. `check` and `test` need nothing that runs;
 * the others ask the control plane.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { type CaseResult, CasesError, parseCases, runCases } from '../policy/cases.ts';
import { dangersOf } from '../policy/dangers.ts';
import { checkPolicies, readPolicies } from '../policy/validate.ts';
import { durationS } from './duration.ts';
import { CommandFailure, optionsOf, print } from './output.ts';
import { type Explanation, explanationText, type Simulation, simulationText } from './policy-text.ts';
import { admin } from './service.ts';

export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('who may open what');
  addCheck(policy);
  addTest(policy);
  addInForce(policy);
  addExplain(policy);
  addSimulate(policy);
}

function addCheck(policy: Command): void {
  policy
    .command('check <file>')
    .description(
      'find everything that is wrong with a file of Cedar policies; changes nothing, needs nothing that runs',
    )
    .option('--json', 'print JSON')
    .action((file: string, _own: unknown, command: Command) => {
      const { policies, faults, warnings } = checkPolicies(readText(file));
      const dangers = faults.length === 0 ? dangersOf(policies, Date.now()) : [];
      const report = { policies: Object.keys(policies), faults, warnings, dangers };
      const remarks = [...faults, ...warnings, ...dangers].map(
        (one) => `${file}${'line' in one ? `:${one.line}:${one.column}` : ''}: ${one.message}`,
      );
      const good = faults.length === 0 ? [`${report.policies.length} policies can be put in force.`] : [];
      print(optionsOf(command), report, () => [...remarks, ...good].join('\n'));
      const [fault] = faults;
      if (fault !== undefined) throw new CommandFailure(fault.code, fault.message);
    });
}

function addTest(policy: Command): void {
  policy
    .command('test <file>')
    .description('run a YAML file of questions with the decisions they should get; needs nothing that runs')
    .option('--policies <file>', 'the Cedar policies to test (default: the file that the tests name)')
    .option('--json', 'print JSON')
    .action((file: string, own: { policies?: string }, command: Command) => {
      const cases = parseCases(readYaml(file));
      const named = own.policies ?? (cases.policies && resolve(dirname(file), cases.policies));
      if (named === undefined)
        throw new CommandFailure('cases_malformed', 'Name the policies to test: --policies FILE.');
      const results = runCases(cases, readPolicies(readText(named)), Date.now());
      const failed = results.filter(({ passed }) => !passed);
      const report = { passed: results.length - failed.length, failed: failed.length, results };
      print(optionsOf(command), report, () => [...results.map(resultLine), `${report.passed} passed.`].join('\n'));
      if (failed.length > 0)
        throw new CommandFailure('cases_failed', `${failed.length} of ${results.length} tests failed.`);
    });
}

function resultLine({ name, passed, expected, got }: CaseResult): string {
  const said = ({ decision, by }: { decision: string; by?: string[] }) =>
    by === undefined ? decision : `${decision} by ${by.join(', ')}`;
  return passed ? `ok    ${name}` : `FAIL  ${name}: wanted ${said(expected)}, got ${said(got)}`;
}

function addInForce(policy: Command): void {
  policy
    .command('apply <file>')
    .description('check a file of Cedar policies and put it in force')
    .option('--json', 'print JSON')
    .action(async (file: string, _own: unknown, command: Command) => {
      const answer = await admin(command, 'PUT', '/admin/policies', { text: readText(file) });
      const waits = answer['state'] === 'waiting';
      print(optionsOf(command), answer, () => (waits ? waitingText(answer) : 'The policies are in force.'));
      // A script that goes on as if they were in force would be wrong.
      if (waits)
        throw new CommandFailure(
          'change_waits',
          'The policies are not in force: two administrators have to approve them.',
          3,
        );
    });
  policy
    .command('show')
    .description('the policies in force, as a file that can be edited and applied')
    .option('--json', 'print JSON')
    .action(async (_own: unknown, command: Command) => {
      const answer = await admin(command, 'GET', '/admin/policies');
      const policies = Object.entries(answer['policies'] as Record<string, string>);
      const text = policies.map(([id, one]) => (/@id\s*\(/.test(one) ? one : `@id(${JSON.stringify(id)})\n${one}`));
      print(optionsOf(command), answer, () => text.join('\n\n'));
    });
}

function waitingText(answer: Record<string, unknown>): string {
  const { id, dangers } = answer['change'] as { id: string; dangers: { message: string; policies: string[] }[] };
  const why = dangers.map(({ message, policies }) => `${message} (${policies.join(', ')})`);
  return `${why.join('\n')}\nAdministrators approve it on the hub, under /changes. Until then the old policies stay: change ${id}.`;
}

interface ExplainOptions {
  readonly user?: string;
  readonly link?: string;
  readonly service: string;
  readonly action: string;
  readonly device?: string;
  readonly at?: string;
  readonly amr?: string;
  readonly authAge?: string;
  readonly kind?: string;
  readonly method?: string;
  readonly path?: string;
  readonly draft?: string;
}

function addExplain(policy: Command): void {
  policy
    .command('explain')
    .description('why somebody may open something, or not: every policy with what it says to that')
    .requiredOption('--service <name>', 'what is to be opened')
    .option('--user <id>', 'who: the id of a person, or a name that one person has')
    .option('--link <id>', 'or a guest of this link')
    .option('--action <name>', 'launch, open or request', 'open')
    .option('--device <id>', 'the device')
    .option('--at <time>', 'when, such as 2026-11-26T08:00:00Z (default: now)')
    .option('--amr <names>', 'proofs, separated by commas (default: passkey,deviceKey)')
    .option('--auth-age <duration>', 'how long ago they signed in, such as 30m (default: just now)')
    .option('--kind <kind>', 'http, websocket, tcp or udp')
    .option('--method <method>', 'of a request')
    .option('--path <path>', 'of a request')
    .option('--draft <file>', 'policies to ask instead of those in force')
    .option('--json', 'print JSON')
    .action(async (own: ExplainOptions, command: Command) => {
      const answer = await admin(command, 'POST', '/admin/policies/explain', questionOf(own));
      // The control plane's answer has this shape by its own schema.
      print(optionsOf(command), answer, () => explanationText(answer as unknown as Explanation));
    });
}

function questionOf({ amr, authAge, at, draft, ...own }: ExplainOptions): object {
  const { user, link, service, action, device, kind, method, path } = own;
  if ((user === undefined) === (link === undefined)) {
    throw new CommandFailure('usage', 'Name who asks: --user or --link, one of them.');
  }
  const time = at === undefined ? undefined : Date.parse(at);
  if (Number.isNaN(time)) throw new CommandFailure('usage', '--at is a time such as 2026-11-26T08:00:00Z.');
  return {
    ...{ user, link, service, action, device, kind, method, path, at: time },
    ...(amr !== undefined && { amr: amr.split(',').filter((name) => name !== '') }),
    ...(authAge !== undefined && { authAgeS: durationS(authAge) }),
    ...(draft !== undefined && { draft: { text: readText(draft) } }),
  };
}

function addSimulate(policy: Command): void {
  policy
    .command('simulate <draft>')
    .description('ask recorded decisions again of a draft and show what it would have changed; changes nothing')
    .option('--since <duration>', 'how far back, such as 12h or 7d', '7d')
    .option('--limit <n>', 'decisions at most, the newest first', '10000')
    .option('--json', 'print JSON')
    .action(async (draft: string, own: { since: string; limit: string }, command: Command) => {
      const limit = Number(own.limit);
      if (!Number.isSafeInteger(limit)) throw new CommandFailure('usage', '--limit is a whole number.');
      const body = { draft: { text: readText(draft) }, sinceS: durationS(own.since), limit };
      const answer = await admin(command, 'POST', '/admin/policies/simulate', body);
      print(optionsOf(command), answer, () => simulationText(answer as unknown as Simulation));
    });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure('policy_unreadable', `The policy file ${file} cannot be read.`);
  }
}

function readYaml(file: string): unknown {
  try {
    return parse(readText(file));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CasesError('cases_malformed', `The tests cannot be used: ${file} is not valid YAML.`);
  }
}
