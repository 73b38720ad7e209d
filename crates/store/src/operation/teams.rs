//! How teams are kept: the team above one is checked against those there are.

use crate::stored::{Stored, Table};
use crate::{Error, Transaction, stored};
use domain::Meta;
use domain::operation::teams::{Team, TeamFields, check_parent};
use sql::ids::{RecordId, TeamId};

stored!(Team in teams { fields: TeamFields });

impl Stored for Team {
    /// The way up is walked with locks, and the team itself is locked and about to change: of two moves that would make
    /// a circle together, PostgreSQL lets one start again.
    fn decide(tx: &mut Transaction<'_>, _: Option<&Self>, meta: Meta, fields: TeamFields) -> Result<Self, Error> {
        let tenant = tx.tenant();
        check_parent(TeamId(meta.id.0), fields.parent_id, |team| -> Result<_, Error> {
            let found = Self::find(tx.connection(), tenant, RecordId(team.0), true)?;
            Ok(found.and_then(|team| team.fields.parent_id))
        })?;
        Ok(Self { meta, fields })
    }
}
