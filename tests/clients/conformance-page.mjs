// Runs the official conformance suite in every way of lib/conformance.mjs and prints docs/conformance.md.

import { RUNS, runSuite, suiteVersion } from './lib/conformance.mjs';
import { page } from './lib/conformance-page.mjs';

const results = [];
for (const run of RUNS) results.push(await runSuite(run));
process.stdout.write(page(await suiteVersion(), results));
