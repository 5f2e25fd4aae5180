/** Nothing listens here: the tests read the answer off the redirect. */
const REDIRECT_URI = 'http://127.0.0.1:33418/callback';

/** What the client keeps between its visits to the authorization server, in memory. */
export class MemoryProvider {
  redirectUrl = REDIRECT_URI;
  clientMetadata = {
    client_name: 'Official client test',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  };
  /** Where the user was sent last. */
  authorizationUrl;
  #kept = {};

  state() {
    this.#kept.state = crypto.randomUUID();
    return this.#kept.state;
  }
  /** The state that was sent last. */
  get sentState() {
    return this.#kept.state;
  }
  clientInformation() {
    return this.#kept.client;
  }
  saveClientInformation(client) {
    this.#kept.client = client;
  }
  tokens() {
    return this.#kept.tokens;
  }
  saveTokens(tokens) {
    this.#kept.tokens = tokens;
  }
  codeVerifier() {
    return this.#kept.verifier;
  }
  saveCodeVerifier(verifier) {
    this.#kept.verifier = verifier;
  }
  discoveryState() {
    return this.#kept.discovery;
  }
  saveDiscoveryState(discovery) {
    this.#kept.discovery = discovery;
  }
  redirectToAuthorization(url) {
    this.authorizationUrl = url;
  }
}
