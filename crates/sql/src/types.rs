//! Column types that the two databases store differently.
//!
//! | type | PostgreSQL | SQLite | Rust |
//! | --- | --- | --- | --- |
//! | [`Identifier`] | `uuid` | 16-byte blob | an id of [`crate::ids`], [`uuid::Uuid`] inside |
//! | [`Instant`] | `timestamptz` | integer, microseconds since 1970 | [`crate::Timestamp`] |
//! | [`Document`] | `jsonb` | text | [`crate::Json`] |

use crate::MultiBackend;
use diesel::query_builder::QueryId;
use diesel::sql_types::{HasSqlType, SqlType};

/// A UUID: `uuid` on PostgreSQL, a 16-byte blob on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Identifier;

/// An instant in UTC: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct Instant;

/// The latest of several can be asked for.
impl diesel::sql_types::SqlOrd for Instant {}

/// A JSON object or array: `jsonb` on PostgreSQL, text on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Document;

macro_rules! on_multi_backend {
    ($($marker:ident),+) => {$(
        impl HasSqlType<$marker> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$marker>(lookup)
            }
        }
    )+};
}
on_multi_backend!(Identifier, Instant, Document);
