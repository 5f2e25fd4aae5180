//! Everything the authorization server remembers. Each table is bounded and lets go of what has expired.

use jiff::{SignedDuration, Timestamp};

use super::{client::Client, scope::Scope};
use crate::demo::{secrets, table::Table, world::UserId};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// An idle sign-in ends with the working day.
const SESSION: SignedDuration = SignedDuration::from_hours(8);
/// Time to sign in and decide.
const PENDING: SignedDuration = SignedDuration::from_mins(10);
/// Used codes are remembered this long, to notice that they are used again.
const CODE_MEMORY: SignedDuration = SignedDuration::from_mins(10);
/// Dynamic clients are swept after this.
const CLIENT: SignedDuration = SignedDuration::from_hours(24 * 365);

#[derive(Debug)]
pub(crate) struct Ledger {
    clients: Table<Client>,
    /// Registrations of the current hour by address.
    registrations: Table<u32>,
    sessions: Table<Session>,
    pending: Table<Pending>,
    codes: Table<Code>,
    pub(super) grants: Table<Grant>,
    /// The JWT behind each opaque access token.
    opaque: Table<String>,
}

/// One browser. Begins before sign-in, because the pending authorization is bound to it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: Option<UserId>,
    pub(crate) csrf: String,
}

/// What a client asked for, before the person has decided.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// The only session that may decide.
    pub(crate) session: String,
    pub(crate) client: Client,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) challenge: String,
    pub(crate) scopes: Vec<Scope>,
    /// The audience, when a resource was named.
    pub(crate) resource: Option<String>,
}

/// What a token says besides when.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) client_id: String,
    pub(crate) user: UserId,
    pub(crate) scope: String,
    pub(crate) audience: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) terms: Terms,
    pub(crate) resource: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) issued: Timestamp,
    pub(crate) usage: Usage,
}

/// Whether a code was presented before, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    Fresh,
    /// The attempt failed; there is no second one.
    Spent,
    /// For this grant.
    Redeemed(String),
}

/// A person's consent that tokens are issued from.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) terms: Terms,
    /// Number of the refresh token that is good now; smaller ones have been used.
    pub(crate) refreshes: u64,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            clients: Table::new(2_000),
            registrations: Table::new(2_000),
            sessions: Table::new(2_000),
            pending: Table::new(2_000),
            codes: Table::new(5_000),
            grants: Table::new(5_000),
            opaque: Table::new(5_000),
        }
    }

    pub(crate) fn add_client(&mut self, now: Timestamp, client: Client) {
        self.clients.insert(now, client.id.clone(), after(now, CLIENT), client);
    }

    pub(crate) fn client(&self, now: Timestamp, id: &str) -> Option<Client> {
        self.clients.get(now, id).cloned()
    }

    /// Counts a registration from `address`; false when its hour is used up.
    pub(crate) fn may_register(&mut self, now: Timestamp, address: &str, budget: u32) -> bool {
        if let Some(count) = self.registrations.get_mut(now, address) {
            *count += 1;
            return *count <= budget;
        }
        self.registrations.insert(now, address.to_owned(), after(now, HOUR), 1);
        true
    }

    /// A fresh session; its id is the cookie's value.
    pub(crate) fn open_session(&mut self, now: Timestamp, user: Option<UserId>) -> String {
        let id = secrets::token();
        let session = Session { user, csrf: secrets::token() };
        self.sessions.insert(now, id.clone(), after(now, SESSION), session);
        id
    }

    pub(crate) fn session(&self, now: Timestamp, id: &str) -> Option<&Session> {
        self.sessions.get(now, id)
    }

    /// Signs a browser in under a new session id, so that whoever planted the old one is not signed in too, and takes
    /// the pending authorization along.
    pub(crate) fn sign_in(&mut self, now: Timestamp, old: &str, pending: &str, user: UserId) -> String {
        self.sessions.remove(now, old);
        let new = self.open_session(now, Some(user));
        if let Some(pending) = self.pending.get_mut(now, pending) {
            pending.session.clone_from(&new);
        }
        new
    }

    pub(crate) fn add_pending(&mut self, now: Timestamp, pending: Pending) -> String {
        let id = secrets::token();
        self.pending.insert(now, id.clone(), after(now, PENDING), pending);
        id
    }

    /// The pending authorization, for the session it is bound to and nobody else.
    pub(crate) fn pending(&self, now: Timestamp, id: &str, session: &str) -> Option<&Pending> {
        self.pending.get(now, id).filter(|pending| secrets::same(&pending.session, session))
    }

    pub(crate) fn decide(&mut self, now: Timestamp, id: &str, session: &str) -> Option<Pending> {
        self.pending(now, id, session)?;
        self.pending.remove(now, id)
    }

    pub(crate) fn add_code(&mut self, now: Timestamp, code: Code) -> String {
        let id = secrets::token();
        self.codes.insert(now, id.clone(), after(now, CODE_MEMORY), code);
        id
    }

    pub(crate) fn code(&mut self, now: Timestamp, id: &str) -> Option<&mut Code> {
        self.codes.get_mut(now, id)
    }

    /// An opaque access token that stands for `jwt` until `expires`.
    pub(super) fn add_opaque(&mut self, now: Timestamp, expires: Timestamp, jwt: String) -> String {
        let id = secrets::token();
        self.opaque.insert(now, id.clone(), expires, jwt);
        id
    }

    /// The JWT behind an opaque access token.
    pub(super) fn opaque(&self, now: Timestamp, token: &str) -> Option<String> {
        self.opaque.get(now, token).cloned()
    }

    /// Whether a token with this id may still be used: its grant, if it came from one, has not been revoked.
    pub(crate) fn grant_stands(&self, now: Timestamp, jti: &str) -> bool {
        match jti.split_once('.') {
            Some((grant, _)) if grant.starts_with(GRANT_PREFIX) => self.grants.get(now, grant).is_some(),
            _ => true,
        }
    }

    /// Ends every grant, code and session of a user.
    pub(crate) fn forget_user(&mut self, user: UserId) {
        self.grants.retain(|grant| grant.terms.user != user);
        self.codes.retain(|code| code.terms.user != user);
        self.sessions.retain(|session| session.user != Some(user));
    }
}

/// Begins the id of every grant, and through it the `jti` of the tokens issued from it.
pub(super) const GRANT_PREFIX: &str = "grant-";

pub(super) fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
