// The official conformance suite against the server as it is shipped. The suite is written for a server that has the
// suite's own test tools, so most scenarios cannot pass here; which ones fail is written down in conformance/*.yml and
// may only shrink: the suite fails when another scenario fails, and when one of the list passes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ALICE, startDemo } from './lib/demo.mjs';
import { Registration } from './lib/oauth.mjs';
import { startProxy } from './lib/proxy.mjs';

const SCOPES = 'agents:read agents:write runs:read spaces:read spaces:write billing:read';
const SUITE = fileURLToPath(new URL('node_modules/.bin/conformance', import.meta.url));

for (const [revision, sessions] of [
  ['2026-07-28', 'sealed'],
  ['2025-11-25', 'sealed'],
  ['2025-11-25', 'live'],
]) {
  test(`conformance with ${revision}, SESSIONS=${sessions}`, { timeout: 180_000 }, async () => {
    const demo = await startDemo({ SESSIONS: sessions });
    const out = await mkdtemp(join(tmpdir(), 'conformance-'));
    let proxy;
    try {
      const registration = await Registration.create(demo, { name: 'conformance' });
      const { access_token: token } = await registration.tokens(SCOPES, { login: ALICE });
      proxy = await startProxy(demo.origin, token);
      const baseline = fileURLToPath(new URL(`conformance/${revision}-${sessions}.yml`, import.meta.url));
      const suite = spawn(
        process.execPath,
        [SUITE, 'server', '--url', proxy.endpoint, '--requirements', revision, '--expected-failures', baseline, '-o', out],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let said = '';
      for (const stream of [suite.stdout, suite.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
      const [code] = await once(suite, 'close');
      const summary = said.slice(said.indexOf('=== SUMMARY'));
      console.log(summary.match(/^Total: .*$/m)?.[0] ?? summary.slice(-500));
      assert.equal(code, 0, summary);
    } finally {
      proxy?.stop();
      await demo.stop();
      await rm(out, { recursive: true });
    }
  });
}
