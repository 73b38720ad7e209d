//! What travels with every operation: the tenant, the actor, the clock, the request, and the events it raises.

use crate::Error;
use crate::events::NewEvent;
use crate::references::Known;
use crate::savepoints::{Undo, Undoing};
use diesel::connection::SimpleConnection;
use domain::custom_values::Catalogue;
use domain::operation::tenants::Tenant;
use domain::operation::visibility::Visibility;
use domain::rule::RuleContext;
use sql::ids::{PrincipalId, TenantId};
use sql::{DatabaseConnection, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

sql::text_enum! {
    /// What kind of principal acts.
    pub enum ActorKind {
        /// A person.
        User = "user",
        /// A program.
        ServiceAccount = "service_account",
        /// The service itself.
        System = "system",
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// What kind of principal.
    pub kind: ActorKind,
    /// Which one; none for the service itself.
    pub id: Option<PrincipalId>,
}

impl Actor {
    /// The service itself.
    pub const SYSTEM: Self = Self {
        kind: ActorKind::System,
        id: None,
    };
}

/// On whose behalf an operation runs, and what it may see.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose data.
    pub tenant: Arc<Tenant>,
    /// Who acts.
    pub actor: Actor,
    /// Which records of owned kinds the actor may see.
    pub visibility: Visibility,
    /// The request that caused it, for the event log.
    pub request_id: Option<Arc<str>>,
}

impl Scope {
    /// The service itself acting on a tenant's data.
    pub fn system(tenant: Arc<Tenant>) -> Self {
        Self {
            tenant,
            actor: Actor::SYSTEM,
            visibility: Visibility::All,
            request_id: None,
        }
    }

    /// The service itself before it is known whose data is meant: only queries that name a tenant find anything.
    pub fn nobody() -> Self {
        Self::system(Arc::new(Tenant::none()))
    }
}

/// What becomes of a transaction whose work succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Discarded,
    /// It fails all the same, because a part failed that could not be undone by itself.
    Spoilt,
}

/// One transaction on behalf of a [`Scope`]. Whatever happens in it is kept as a whole or not at all.
pub struct Transaction<'c> {
    connection: &'c mut DatabaseConnection,
    scope: &'c Scope,
    now: Timestamp,
    events: Vec<NewEvent>,
    known: Known,
    fate: Fate,
    refuses_duplicates: bool,
    writes: bool,
    undoing: Undoing,
}

impl<'c> Transaction<'c> {
    /// On a connection of the caller's, which begins and ends what it wants kept together. [`crate::Store`] does so.
    pub fn new(connection: &'c mut DatabaseConnection, scope: &'c Scope) -> Self {
        Self {
            connection,
            scope,
            now: Timestamp::now(),
            events: Vec::new(),
            known: Known::default(),
            fate: Fate::Kept,
            refuses_duplicates: false,
            writes: false,
            undoing: Undoing::Apart,
        }
    }

    /// The connection, for queries.
    pub fn connection(&mut self) -> &mut DatabaseConnection {
        self.connection
    }

    /// Whose data it may touch.
    pub fn tenant(&self) -> TenantId {
        self.scope.tenant.id
    }

    /// Who acts, what may be seen, which tenant: borrowed for as long as the transaction runs.
    pub fn scope(&self) -> &'c Scope {
        self.scope
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.scope.actor
    }

    /// When it began. Everything written in it bears this time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Today in the tenant's time zone.
    pub fn today(&self) -> chrono::NaiveDate {
        self.scope.today(self.now)
    }

    /// What rules need to know: the time, the tenant's zone, currency and custom fields.
    pub fn rule_context(&mut self) -> Result<RuleContext, Error> {
        let custom = crate::custom_values::catalogue(self)?;
        Ok(self.scope.rule_context(self.now, custom))
    }

    /// What has been found out about references to other records, so that a batch asks once.
    pub(crate) fn known(&mut self) -> &mut Known {
        &mut self.known
    }

    /// Announces a change. It is written when the transaction ends, with it or not at all.
    pub fn announce(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Does everything and keeps nothing: the result is answered, the transaction rolled back.
    pub fn discard(&mut self) {
        if self.fate == Fate::Kept {
            self.fate = Fate::Discarded;
        }
    }

    /// From now on, new records are refused where there seems to be the same already. What the service creates by itself
    /// is not.
    pub fn refuse_duplicates(&mut self) {
        self.refuses_duplicates = true;
    }

    pub(crate) fn refuses_duplicates(&self) -> bool {
        self.refuses_duplicates
    }

    /// Whether it may lock what it reads.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// Lets each statement see what others have committed before it, where the others would see the state of the first
    /// one. To be called first of all, for work that waits for others and must then see what they did.
    pub fn see_latest(&mut self) -> Result<(), Error> {
        if let DatabaseConnection::Postgres(postgres) = self.connection {
            postgres
                .batch_execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '60s'")?;
        }
        Ok(())
    }

    pub(crate) fn is_discarded(&self) -> bool {
        self.fate == Fate::Discarded
    }

    pub(crate) fn take_events(&mut self) -> Vec<NewEvent> {
        std::mem::take(&mut self.events)
    }

    /// Runs a part that may fail without failing the whole: what it did and announced is undone. A part that panics fails
    /// with [`Error::Internal`].
    pub fn savepoint<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.part(Undoing::Apart, part)
    }

    /// The same for a part that hardly ever fails once it has written. On SQLite it has no savepoint at first: when it
    /// fails after it has written, so does the whole, which is then run again with savepoints.
    pub fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.part(self.undoing, part)
    }

    fn part<T>(&mut self, undoing: Undoing, part: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let events = self.events.len();
        let undo = Undo::begin(self.connection, undoing)?;
        // What panics must be undone, too: a savepoint that is left open would be taken for the transaction.
        let result = catch_unwind(AssertUnwindSafe(|| part(self)));
        let result = result.unwrap_or_else(|_| Err(Error::Internal("a part of a write panicked".to_owned())));
        let failure = match result {
            Ok(done) => match undo.forget(self.connection) {
                Ok(()) => return Ok(done),
                Err(error) => {
                    self.fate = Fate::Spoilt;
                    error
                }
            },
            Err(error) => error,
        };
        self.events.truncate(events);
        self.known = Known::default();
        match undo.run(self.connection) {
            Ok(true) => Err(failure),
            Ok(false) => {
                self.fate = Fate::Spoilt;
                Err(spoilt())
            }
            // The first error tells more: after some, such as a full disk, SQLite has no transaction left to undo.
            Err(_) => {
                self.fate = Fate::Spoilt;
                Err(failure)
            }
        }
    }
}

/// Why a transaction fails, and is run again, in which a part failed that could not be undone by itself.
fn spoilt() -> Error {
    Error::Internal("a part of the write cannot be undone by itself".to_owned())
}

impl Scope {
    /// The day in the tenant's time zone.
    pub fn today(&self, now: Timestamp) -> chrono::NaiveDate {
        now.utc().with_timezone(&self.tenant.time_zone.0).date_naive()
    }

    /// What rules need to know: the time, the tenant's zone, currency and custom fields.
    pub fn rule_context(&self, now: Timestamp, custom: Arc<Catalogue>) -> RuleContext {
        RuleContext {
            now,
            zone: self.tenant.time_zone.0,
            currency: self.tenant.currency,
            custom,
        }
    }
}

/// Runs work in a transaction that is already open on the connection, writes its events, and says
/// whether the result is to be kept.
pub(crate) fn run<T>(
    connection: &mut DatabaseConnection,
    scope: &Scope,
    position: Option<i64>,
    undoing: Undoing,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
) -> Result<(T, bool), Error> {
    let mut transaction = Transaction::new(connection, scope);
    transaction.writes = true;
    transaction.undoing = undoing;
    let value = work(&mut transaction)?;
    if transaction.fate == Fate::Spoilt {
        return Err(spoilt());
    }
    let keep = !transaction.is_discarded();
    let events = transaction.take_events();
    if keep && !events.is_empty() {
        crate::events::append(connection, &events, position)?;
    }
    Ok((value, keep))
}
