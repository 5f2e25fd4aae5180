// Asking the user first: the official TypeScript client is asked in both eras, and shows what its user is to agree to.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ERAS, connected, signIn } from './lib/client.mjs';
import { ALICE, startDemo } from './lib/demo.mjs';
import { MemoryProvider } from './lib/provider.mjs';

const RESTORE = { name: 'restore_agent_version', arguments: { agentId: 7301, versionNumber: 5, comments: 'back' } };
const BUILD = { name: 'start_agent_build', arguments: { prompt: 'Names and prices of all boots of Acme', waitForCompletion: false } };

let demo;
before(async () => (demo = await startDemo({ SESSIONS: 'live' })));
after(() => demo?.stop());

describe('a client that shows forms', { concurrency: true, timeout: 60_000 }, () => {
  for (const era of ERAS) {
    test(`in ${era.name} is asked before a write`, async () => {
      const provider = new MemoryProvider();
      await signIn(demo, era, provider, { login: ALICE });
      const { client } = await connected(demo, era, provider, { elicitation: { form: {} } });
      const questions = [];
      let answer;
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        questions.push(params.message);
        return answer;
      });

      answer = { action: 'decline' };
      const declined = await client.callTool(RESTORE);
      assert.equal(declined.isError, true);
      assert.equal(JSON.parse(declined.content[0].text).error.code, 'not_confirmed');
      answer = { action: 'accept', content: {} };
      const restored = await client.callTool(RESTORE);
      assert.equal(restored.structuredContent?.versionNumber, 5, JSON.stringify(restored));
      answer = { action: 'accept', content: { site: 'https://acme.example' } };
      const started = await client.callTool(BUILD);
      assert.ok(started.structuredContent?.sessionId, JSON.stringify(started));
      assert.equal(questions.length, 3);
      assert.equal(questions[0], questions[1]);
      assert.match(questions[0], /^Make version 5 of agent “Shoe catalogue” \(7301\) current again\?/);
      assert.match(questions[2], /names no address: “Names and prices of all boots of Acme”/);
      await client.close();
    });
  }
});
