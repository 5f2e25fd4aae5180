// The official conformance suite: everything that a revision requires, against the build that has the suite's own test
// tools and against the one that is shipped. What fails is written down in conformance/*.yml and may only shrink.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';

import { RUNS, knownFailures, runSuite, suiteVersion } from './lib/conformance.mjs';
import { page } from './lib/conformance-page.mjs';

describe('the official conformance suite', { timeout: 240_000 }, () => {
  const results = [];

  for (const run of RUNS) {
    test(`${run.build}, ${run.revision}, SESSIONS=${run.sessions}`, async () => {
      const result = await runSuite(run);
      results.push(result);
      // The suite compares what is required with the list.
      assert.equal(result.code, 0, result.summary);
      // What it runs beside that it does not judge, so that is done here.
      const beyond = result.scenarios.filter(({ required, failed }) => !required && failed > 0);
      const { beyond: known } = await knownFailures(run);
      assert.deepEqual(beyond.map(({ name }) => name).sort(), known.sort());
    });
  }

  test('docs/conformance.md says what came out', async () => {
    assert.equal(results.length, RUNS.length);
    const written = await readFile(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
    const remedy = 'refresh it: cd tests/clients && npm run --silent conformance-page > ../../docs/conformance.md';
    assert.equal(written, page(await suiteVersion(), results), `docs/conformance.md is out of date; ${remedy}`);
  });
});
