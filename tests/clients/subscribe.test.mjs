// Following a run until it ends: the official TypeScript client in both eras, and the official Python client, which also
// lists, gets, reads and completes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ERAS, connected, signIn } from './lib/client.mjs';
import { ALICE, startDemo } from './lib/demo.mjs';
import { eventually } from './lib/eventually.mjs';
import { Registration } from './lib/oauth.mjs';
import { MemoryProvider } from './lib/provider.mjs';

/** One each: a start is exclusive. Their runs take about half a minute. */
const AGENTS = { '2025-11-25': 7302, '2026-07-28': 7303, 'python legacy': 7301, 'python 2026-07-28': 7304 };
const SCOPES = 'agents:read agents:write runs:read spaces:read billing:read';
const WAIT = { within: 120_000, every: 200 };

let demo;
before(async () => (demo = await startDemo({ SESSIONS: 'live' })));
after(() => demo?.stop());

describe('a client that follows a run', { concurrency: true, timeout: 180_000 }, () => {
  for (const era of [ERAS[0], ERAS.at(-1)]) {
    test(`in ${era.revision} hears of every change until it ends`, async () => {
      const provider = new MemoryProvider();
      await signIn(demo, era, provider, { login: ALICE });
      const { client } = await connected(demo, era, provider);
      assert.equal(client.getServerCapabilities().resources.subscribe, true);
      const started = await client.callTool({ name: 'start_agent', arguments: { agentId: AGENTS[era.revision] } });
      const uri = started.content.find((block) => block.type === 'resource_link').uri;

      const updates = [];
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
      const status = async () => {
        const { contents } = await client.readResource({ uri });
        return JSON.parse(contents[0].text);
      };
      if (era.hasSession) {
        await client.subscribeResource({ uri });
        await eventually('The run ends', async () => (await status()).finished, WAIT);
        await client.unsubscribeResource({ uri });
      } else {
        const subscription = await client.listen({ resourceSubscriptions: [uri] });
        assert.deepEqual(subscription.honoredFilter, { resourceSubscriptions: [uri] });
        // The server closes it once there is nothing more to tell.
        assert.equal(await subscription.closed, 'graceful');
        assert.equal((await status()).finished, true);
      }
      await eventually('The last update arrives', () => updates.length >= 2, WAIT);
      assert.ok(updates.every((updated) => updated === uri));
      await client.close();
    });
  }

  for (const mode of ['2026-07-28', 'legacy']) {
    test(`in Python, ${mode}, lists, gets, reads, completes and subscribes`, async (context) => {
      const python = process.env.MCP_PYTHON;
      if (!python) return context.skip('MCP_PYTHON names no Python with the package mcp');
      const registration = await Registration.create(demo, { name: `python ${mode}` });
      const { access_token: token } = await registration.tokens(SCOPES, { login: ALICE });
      const script = fileURLToPath(new URL('python/follow_a_run.py', import.meta.url));
      const client = spawn(python, [script, demo.endpoint, mode, `${AGENTS[`python ${mode}`]}`], {
        // Not on the command line, where every process of this machine could read it.
        env: { ACCESS_TOKEN: token },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [client.stdout, client.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
      const [code] = await once(client, 'close');
      assert.equal(code, 0, said);
      assert.match(said, /followed/);
    });
  }
});
