//! Statements that are written out, because only the registry knows the tables and columns that they are about. Values
//! are bound, each where its name stands: `@tenant`.

use crate::{Error, Transaction};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Nullable, Text};
use domain::Kind;
use sql::ids::{EventId, RecordId};
use sql::types::{Identifier, Instant};
use sql::{DatabaseConnection, MultiBackend, Timestamp};

/// A value in a statement.
#[derive(Debug, Clone)]
enum Bound {
    Id(RecordId),
    OptionalId(Option<RecordId>),
    Text(String),
    Instant(Timestamp),
}

enum Piece {
    Sql(String),
    Bound(Bound),
}

/// A statement with its values.
struct Statement(Vec<Piece>);

impl Statement {
    /// Puts the values in the places of their names.
    fn new(text: &str, value: impl Fn(&str) -> Option<Bound>) -> Result<Self, Error> {
        let mut parts = text.split('@');
        let mut pieces = vec![Piece::Sql(parts.next().unwrap_or_default().to_owned())];
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            let bound = value(name).ok_or_else(|| Error::Internal(format!("no value for @{name}")))?;
            pieces.extend([Piece::Bound(bound), Piece::Sql(rest.to_owned())]);
        }
        Ok(Self(pieces))
    }
}

impl QueryFragment<MultiBackend> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        for piece in &self.0 {
            match piece {
                Piece::Sql(text) => out.push_sql(text),
                Piece::Bound(Bound::Id(id)) => out.push_bind_param::<Identifier, _>(id)?,
                Piece::Bound(Bound::OptionalId(id)) => out.push_bind_param::<Nullable<Identifier>, _>(id)?,
                Piece::Bound(Bound::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                Piece::Bound(Bound::Instant(instant)) => out.push_bind_param::<Instant, _>(instant)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl diesel::RunQueryDsl<DatabaseConnection> for Statement {}

/// Between whom and in which merge records are moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) merge: EventId,
    pub(super) from: RecordId,
    pub(super) to: RecordId,
}

impl Way {
    /// The same way back.
    pub(super) const fn back(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            ..self
        }
    }

    /// Runs a statement. `more` are values that not all statements have.
    pub(super) fn run(self, tx: &mut Transaction<'_>, text: &str, more: &[(&str, &str)]) -> Result<usize, Error> {
        let (tenant, now, by) = (tx.tenant(), tx.now(), tx.actor().id);
        let statement = Statement::new(text, |name| {
            Some(match name {
                "tenant" => Bound::Id(RecordId(tenant.0)),
                "merge" => Bound::Id(RecordId(self.merge.0)),
                "from" => Bound::Id(self.from),
                "to" => Bound::Id(self.to),
                "from_text" => Bound::Text(self.from.to_string()),
                "to_text" => Bound::Text(self.to.to_string()),
                "from_link" => Bound::Text(format!("{}:{}", Kind::Customer, self.from)),
                "to_link" => Bound::Text(format!("{}:{}", Kind::Customer, self.to)),
                "now" => Bound::Instant(now),
                "by" => Bound::OptionalId(by.map(|by| RecordId(by.0))),
                _ => Bound::Text(more.iter().find(|(other, _)| *other == name)?.1.to_owned()),
            })
        })?;
        Ok(statement.execute(tx.connection())?)
    }
}
