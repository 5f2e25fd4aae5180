import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { ALICE, FIXTURES, SHIPPED, startDemo } from './demo.mjs';
import { Registration } from './oauth.mjs';
import { startProxy } from './proxy.mjs';

const SCOPES = 'agents:read agents:write runs:read spaces:read spaces:write billing:read';
const PACKAGE = new URL('../node_modules/@modelcontextprotocol/conformance/', import.meta.url);
const SUITE = fileURLToPath(new URL('dist/index.js', PACKAGE));

/** How the suite is run: which build, which revision, which kind of session. */
export const RUNS = [
  { build: FIXTURES, revision: '2026-07-28', sessions: 'sealed' },
  { build: FIXTURES, revision: '2025-11-25', sessions: 'live' },
  { build: FIXTURES, revision: '2025-11-25', sessions: 'sealed' },
  { build: SHIPPED, revision: '2026-07-28', sessions: 'sealed' },
  { build: SHIPPED, revision: '2025-11-25', sessions: 'live' },
  { build: SHIPPED, revision: '2025-11-25', sessions: 'sealed' },
].map((run) => ({ ...run, name: `${run.build}-${run.revision}-${run.sessions}` }));

const baseline = (run) => fileURLToPath(new URL(`../conformance/${run.name}.yml`, import.meta.url));

/** What is known to fail: of the scenarios that the revision requires, and of those that the suite runs beside them. */
export async function knownFailures(run) {
  const { server, beyond } = parse(await readFile(baseline(run), 'utf8'));
  return { required: server ?? [], beyond: beyond ?? [] };
}

/** The version of the suite. */
export async function suiteVersion() {
  return JSON.parse(await readFile(new URL('package.json', PACKAGE), 'utf8')).version;
}

/** The scenarios that a revision requires of a server, in the suite's order. */
async function required(revision) {
  return parse(await readFile(new URL(`requirements/${revision}.yaml`, PACKAGE), 'utf8')).server;
}

/**
 * Runs the suite against a demo of its own, as one who is signed in. Returns its exit code with its summary, and what it
 * says of each scenario: `required` by the revision or not, and the number of checks by how they ended.
 */
export async function runSuite(run) {
  const demo = await startDemo({ SESSIONS: run.sessions }, run.build);
  const out = await mkdtemp(join(tmpdir(), 'conformance-'));
  let proxy;
  try {
    const registration = await Registration.create(demo, { name: 'conformance' });
    const { access_token: token } = await registration.tokens(SCOPES, { login: ALICE });
    // The suite cannot send a token.
    proxy = await startProxy(demo.origin, token);
    const suite = spawn(
      process.execPath,
      [
        ...[SUITE, 'server', '--url', proxy.endpoint, '--requirements', run.revision],
        ...['--expected-failures', baseline(run), '-o', out],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    for (const stream of [suite.stdout, suite.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
    const [code] = await once(suite, 'close');
    const summary = said.slice(Math.max(said.indexOf('=== SUMMARY'), 0));
    return { ...run, code, summary, scenarios: await read(out, await required(run.revision)) };
  } finally {
    proxy?.stop();
    await demo.stop();
    await rm(out, { recursive: true });
  }
}

/** What the suite has left in a directory for each scenario. */
async function read(out, required) {
  const scenarios = [];
  for (const directory of await readdir(out)) {
    const checks = JSON.parse(await readFile(join(out, directory, 'checks.json'), 'utf8'));
    const count = (...statuses) => checks.filter(({ status }) => statuses.includes(status)).length;
    const name = directory.replace(/^server-(.*?)-\d{4}-\d\d-\d\dT.*$/, '$1');
    scenarios.push({
      name,
      required: required.includes(name),
      passed: count('SUCCESS'),
      // A warning is a recommendation that is not followed. Here it counts, as it does for the suite's own list.
      failed: count('FAILURE', 'WARNING'),
    });
  }
  const order = ({ name, required: scored }) => (scored ? required.indexOf(name) : required.length);
  return scenarios.sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
}
