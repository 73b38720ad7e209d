//! Every way in which the store can fail.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use domain::Refusal;
use domain::customer::duplicates::DuplicateCandidate;
use sql::ids::RecordId;

/// Why an operation on the store did not happen. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such record, or the caller may not see it.
    #[error("not found")]
    NotFound,
    /// A rule of the domain says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The record is no longer at the version that the caller named.
    #[error("the record is at version {version}")]
    Stale {
        /// The record as it is now.
        current: Box<serde_json::Value>,
        /// Its version.
        version: i64,
    },
    /// There seems to be such a customer already.
    #[error("there seems to be such a customer already")]
    Duplicate(Vec<DuplicateCandidate>),
    /// The customer was merged into another one.
    #[error("{from} was merged into {into}")]
    Merged {
        /// Who was asked for.
        from: RecordId,
        /// Who goes on.
        into: RecordId,
    },
    /// The tenant demands that a write names the version it changes.
    #[error("the version must be named")]
    VersionRequired,
    /// The cursor lies before what is still kept.
    #[error("the cursor has expired")]
    CursorExpired,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request with this idempotency key has not ended yet.
    #[error("the first request with this key is still running")]
    KeyInUse,
    /// Items of a batch that was to be all or nothing failed.
    #[error("{} items failed", .0.len())]
    BatchFailed(Vec<(usize, Error)>),
    /// Too much is waiting already.
    #[error("overloaded")]
    Overloaded,
    /// The database cannot be reached or refuses to write.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The store of documents cannot be reached, is full, or lacks what it should have.
    #[error("the store of documents is unavailable: {0}")]
    Blobs(String),
    /// The schema is not one this program can work with.
    #[error("{0}")]
    Schema(String),
    /// Any other failure of the database.
    #[error(transparent)]
    Database(DieselError),
    /// A failure of this program.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(kind, ref information) => {
                Self::from_database(kind, information.message()).unwrap_or(Self::Database(error))
            }
            other => Self::Database(other),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Error {
    fn from_database(kind: DatabaseErrorKind, message: &str) -> Option<Self> {
        Some(match kind {
            DatabaseErrorKind::UniqueViolation => {
                Refusal::conflict("already_exists", "another record has this key already").into()
            }
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Refusal::conflict(
                "referenced",
                "other records refer to this one, or it refers to one that is gone",
            )
            .into(),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unavailable("the connection was lost".to_owned())
            }
            DatabaseErrorKind::ReadOnlyTransaction => Self::Unavailable("the database is read-only".to_owned()),
            _ if is_unavailable(message) => Self::Unavailable(message.to_owned()),
            _ => return None,
        })
    }

    /// That the whole transaction is to be run again, because another one was quicker.
    pub(crate) fn start_again() -> Self {
        let message = Box::new("another transaction was quicker".to_owned());
        Self::Database(DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure,
            message,
        ))
    }

    /// Whether the whole transaction may succeed when it is run again: a deadlock or a serialization failure.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Database(DieselError::DatabaseError(_, information)) => {
                information.message().contains("deadlock detected")
            }
            _ => false,
        }
    }

    /// Whether a statement was ended because it or its wait for a lock took too long.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Database(DieselError::DatabaseError(_, information))
            if ["statement timeout", "lock timeout", "interrupted"].iter().any(|text| information.message().contains(text)))
    }

    /// Whether the connection can no longer be used.
    pub(crate) fn is_connection_lost(&self) -> bool {
        matches!(self, Self::Unavailable(_)) || matches!(self, Self::Database(DieselError::BrokenTransactionManager))
    }
}

/// What the databases say when they cannot work now but may work again: they give no kind for these.
fn is_unavailable(message: &str) -> bool {
    const SIGNS: &[&str] = &[
        "database or disk is full",
        "disk I/O error",
        "database is locked",
        "the database system is",
        "server closed the connection",
        "terminating connection",
        "could not connect",
        "connection to server",
        "no connection to the server",
        "cannot execute",
        "No space left on device",
        "too many clients",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}
