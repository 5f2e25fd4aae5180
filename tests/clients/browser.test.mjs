// The pages a person sees, in a real browser.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { overflows, photograph, startBrowser, startCallback, watch } from './lib/browser.mjs';
import { ALICE, startDemo } from './lib/demo.mjs';
import { Registration, callRaw } from './lib/oauth.mjs';

const CLIENT = 'Browser test <b>client</b>';
const SCOPE = 'agents:read runs:read offline_access';

let demo;
let browser;
let callback;
before(async () => {
  [demo, browser, callback] = await Promise.all([startDemo(), startBrowser(), startCallback()]);
});
after(() => Promise.all([demo?.stop(), browser?.stop(), callback?.stop()]));

describe('a person in a browser', { timeout: 120_000 }, () => {
  let page;
  let seen;
  let registration;
  let request;
  beforeEach(async () => {
    await browser.context.clearCookies();
    page = await browser.context.newPage();
    seen = watch(page);
    registration = await Registration.create(demo, { name: CLIENT, redirectUri: callback.url });
    request = registration.request(SCOPE);
  });
  afterEach(() => page.close());

  /** Fills in the sign-in page and waits for what comes next. */
  async function signIn(password) {
    await page.getByLabel('Username').fill(ALICE.username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** The answer that the client found at its redirect URI. */
  async function answer() {
    await page.waitForURL((url) => url.href.startsWith(callback.url));
    const query = new URL(page.url()).searchParams;
    assert.equal(query.get('state'), request.state);
    assert.equal(query.get('iss'), demo.issuer);
    return query;
  }

  test('signs in, allows, and the client can work', async () => {
    await page.goto(request.url.href);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // A name is text, whatever is in it.
    assert.equal(await page.getByText(CLIENT).count(), 1);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'username');
    await photograph(page, 'sign-in');
    assert.deepEqual(seen.complaints, []);

    await signIn('wrong');
    await page.getByRole('alert').getByText('do not match').waitFor();
    assert.equal(await page.getByLabel('Username').inputValue(), ALICE.username);
    assert.equal(await page.getByLabel('Password').inputValue(), '');
    await photograph(page, 'sign-in-refused');
    // The browser itself remarks that the page came with status 401.
    assert.equal(seen.complaints.filter((complaint) => !complaint.includes('401')).length, 0);
    seen.complaints.length = 0;

    await signIn(ALICE.password);
    await page.getByRole('heading', { name: `Allow ${CLIENT} access?` }).waitFor();
    const text = await page.locator('main').innerText();
    for (const part of [ALICE.organizationName, ...SCOPE.split(' '), callback.url, demo.endpoint]) {
      assert.ok(text.includes(part), `the consent page names ${part}`);
    }
    assert.ok(!text.includes('agents:write'), 'the consent page names no scope that was not asked for');
    await photograph(page, 'consent');
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await overflows(page), false);

    await page.getByRole('button', { name: 'Allow' }).click();
    const query = await answer();
    assert.equal(query.get('error'), null);
    assert.deepEqual(seen.complaints, []);
    for (const url of seen.requests) {
      assert.ok([demo.issuer, new URL(callback.url).origin].includes(new URL(url).origin), `loaded ${url}`);
    }

    const tokens = await registration.redeem(query.get('code'), request.verifier);
    const whoami = await callRaw(demo, tokens.access_token, 'whoami', {});
    const { structuredContent } = (await whoami.json()).result;
    assert.equal(structuredContent.organization, ALICE.organization);
    assert.equal(structuredContent.clientId, registration.clientId);
    assert.deepEqual(structuredContent.scopes, ['agents:read', 'runs:read']);
  });

  test('denies, and the client is told', async () => {
    await page.goto(request.url.href);
    await signIn(ALICE.password);
    await page.getByRole('button', { name: 'Deny' }).click();
    const query = await answer();
    assert.equal(query.get('error'), 'access_denied');
    assert.equal(query.get('code'), null);
    assert.deepEqual(seen.complaints, []);
  });

  test('finds out at / how to connect', async () => {
    const landing = await page.goto(`${demo.origin}/`);
    assert.equal(landing.status(), 200);
    await page.getByRole('heading', { name: 'Sequentum MCP server' }).waitFor();
    assert.equal(await page.locator('pre.url').innerText(), demo.endpoint);
    await photograph(page, 'landing');
    for (const client of await page.locator('summary').all()) await client.click();
    await page.getByText('claude mcp add').waitFor();
    await photograph(page, 'landing-open');
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 844 });
      assert.equal(await overflows(page), false, `no scrolling sideways at ${width} px`);
    }
    assert.deepEqual(seen.complaints, []);
    assert.deepEqual([...new Set(seen.requests.map((url) => new URL(url).origin))], [demo.origin]);
  });
});
