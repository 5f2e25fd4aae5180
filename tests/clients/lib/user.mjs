/** Longest way from the authorization endpoint back to the client. */
const MAX_STEPS = 10;

/**
 * Plays the user: follows an authorization URL, signs in, answers the consent page, and returns the URL at which the
 * client gets its answer. Every call is a browser of its own, with its own cookies.
 */
export async function visit(authorizationUrl, { login, decision = 'allow' }) {
  const redirectUri = new URL(authorizationUrl).searchParams.get('redirect_uri');
  const cookies = new Map();
  let request = { url: String(authorizationUrl), method: 'GET' };
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const answer = await fetch(request.url, {
      method: request.method,
      body: request.body,
      redirect: 'manual',
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
    });
    keep(cookies, answer);
    const page = await answer.text();
    if (answer.status >= 300 && answer.status < 400) {
      const next = new URL(answer.headers.get('location'), request.url);
      if (next.href.startsWith(redirectUri)) return next;
      request = { url: next.href, method: 'GET' };
    } else if (answer.ok) {
      request = fillIn(page, request.url, { login, decision });
    } else {
      throw new Error(`${request.method} ${request.url} answered ${answer.status}: ${page.slice(0, 400)}`);
    }
  }
  throw new Error(`Not back at the client after ${MAX_STEPS} steps; the last one was ${request.url}`);
}

function keep(cookies, answer) {
  for (const cookie of answer.headers.getSetCookie()) {
    const [pair] = cookie.split(';');
    const [name] = pair.split('=', 1);
    cookies.set(name, pair.slice(name.length + 1));
  }
}

/** The request that submits the form of a page: its hidden fields as they are, the rest as this user would. */
function fillIn(page, url, { login, decision }) {
  const form = page.match(/<form\b([^>]*)>(.*?)<\/form>/s);
  if (!form) throw new Error(`No form at ${url}: ${page.slice(0, 400)}`);
  const fields = new URLSearchParams();
  for (const [, attributes] of form[2].matchAll(/<input\b([^>]*)>/g)) {
    const name = attribute(attributes, 'name');
    fields.set(name, login[name] ?? attribute(attributes, 'value') ?? '');
  }
  // The buttons of the consent page have names; the one of the sign-in page has none.
  if (/<button\b[^>]*\bname="decision"/.test(form[2])) fields.set('decision', decision);
  return { url: new URL(attribute(form[1], 'action'), url).href, method: 'POST', body: fields };
}

function attribute(attributes, name) {
  const entities = { '&amp;': '&', '&quot;': '"', '&lt;': '<', '&gt;': '>' };
  const value = attributes.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1];
  return value?.replace(/&(amp|quot|lt|gt);/g, (entity) => entities[entity]);
}
