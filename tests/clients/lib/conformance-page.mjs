import { FIXTURES } from './demo.mjs';

/** What a scenario came to, in a cell of a table. */
function verdict(scenario) {
  if (!scenario) return '';
  const { passed, failed } = scenario;
  if (passed + failed === 0) return 'nothing to check';
  return failed === 0 ? `passed (${passed})` : `**fails** (${passed} of ${passed + failed})`;
}

/** Sessions are of the 2025 revisions. */
const mode = ({ revision, sessions }) => (revision < '2026' ? sessions : 'none');

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function totals(run) {
  const { build, revision, scenarios } = run;
  const scored = scenarios.filter(({ required }) => required);
  const whole = scored.filter(({ failed }) => failed === 0).length;
  const passed = sum(scenarios.map((scenario) => scenario.passed));
  const failed = sum(scenarios.map((scenario) => scenario.failed));
  const required = `${whole} of ${scored.length}`;
  return `| ${build} | ${revision} | ${mode(run)} | ${required} | ${passed} of ${passed + failed} |`;
}

/** One table: a line for each scenario, a column for each way in which it was run. */
function table(runs, required) {
  const names = [...new Set(runs.flatMap(({ scenarios }) => scenarios.filter((s) => s.required === required)).map(({ name }) => name))];
  const cells = (name) => runs.map(({ scenarios }) => verdict(scenarios.find((scenario) => scenario.name === name)));
  return [
    `| Scenario | ${runs.map((run) => `${run.build}, sessions: ${mode(run)}`).join(' | ')} |`,
    `| --- |${' --- |'.repeat(runs.length)}`,
    ...names.map((name) => `| \`${name}\` | ${cells(name).join(' | ')} |`),
  ].join('\n');
}

/** The page about what the suite says of all these runs. Nothing in it depends on when it was run. */
export function page(version, runs) {
  const revisions = [...new Set(runs.map(({ revision }) => revision))];
  const chapters = revisions.map((revision) => {
    const own = runs.filter((run) => run.revision === revision);
    return `## ${revision}

What the revision requires:

${table(own, true)}

What the suite runs beside it, without counting it:

${table(own, false)}
`;
  });
  return `# Conformance

<!-- Printed by \`npm run --silent conformance-page\` in tests/clients from the suite's output; not edited by hand. -->

What the official suite, \`@modelcontextprotocol/conformance\` ${version}, says of this server. The gate runs all of it, with
what it expects to fail in \`tests/clients/conformance\`, fails if anything else does or if something on a list passes,
and compares this page with the outcome.

The suite is written for a server with test tools, resources and prompts of its own. So there are two builds: \`${FIXTURES}\`,
with the Cargo feature \`conformance-fixtures\`, which has them beside the product's on the same router, with the same limits and
sign-in; and the one that is \`shipped\`, which cannot pass what calls them. Sessions are of the 2025 revisions only
(\`SESSIONS\`): \`sealed\`, the default, where the server can ask nothing of its clients, or \`live\`. In brackets are checks. A
warning of the suite counts as a failure.

| Build | Revision | Sessions | Required scenarios passed | Checks passed, of all |
| --- | --- | --- | --- | --- |
${runs.map(totals).join('\n')}

${chapters.join('\n')}`;
}
