//! The stage that a client names for an opportunity, or leaves to the service.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::{Deserialize, Deserializer, Serialize};
use sql::ids::StageId;
use sql::types::Identifier;

/// A stage, or none while the service has not chosen one yet. A stored opportunity always has one: the column takes no
/// null, a choice not made is refused before it gets there, and a client that means "choose for me" leaves it out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Identifier)]
#[serde(transparent)]
pub struct ChosenStage(pub Option<StageId>);

impl From<StageId> for ChosenStage {
    fn from(id: StageId) -> Self {
        Self(Some(id))
    }
}

impl<'de> Deserialize<'de> for ChosenStage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StageId::deserialize(deserializer).map(Self::from)
    }
}

impl ChosenStage {
    fn id(&self) -> Result<&StageId, &'static str> {
        self.0.as_ref().ok_or("no stage has been chosen")
    }
}

impl ToSql<Identifier, Pg> for ChosenStage {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Identifier, Pg>::to_sql(self.id()?, out)
    }
}

impl ToSql<Identifier, Sqlite> for ChosenStage {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        ToSql::<Identifier, Sqlite>::to_sql(self.id()?, out)
    }
}

impl FromSql<Identifier, Pg> for ChosenStage {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <StageId as FromSql<Identifier, Pg>>::from_sql(value).map(Self::from)
    }
}

impl FromSql<Identifier, Sqlite> for ChosenStage {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <StageId as FromSql<Identifier, Sqlite>>::from_sql(value).map(Self::from)
    }
}

sql::on_multi_backend!(ChosenStage as Identifier);
