//! Teams: groups of users, which share records and may stand below one another.

use crate::fault::Refusal;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, Reference};
use crate::registry::{Field, Registry, Relation};
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use sql::ids::TeamId;
use utoipa::ToSchema;

settable! {
    /// What a client may set on a team.
    pub struct TeamFields in teams {
        /// What it is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Sales West"))]
        pub name: String,
        /// What it does.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// The team above it. Teams make no circle.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub parent_id: Option<TeamId>,
    }
}

impl Fields for TeamFields {
    common_fields!();
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Team {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: TeamFields,
}

/// The fields of a team.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Team,
    plural: "teams",
    table: "teams",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("description"),
        Field::reference("parent_id", Kind::Team),
    ],
    relations: &[
        Relation::one("parent", Kind::Team, "parent_id"),
        Relation::many("children", Kind::Team, "parent_id"),
        Relation::many("users", Kind::User, "team_id"),
    ],
    owned: false,
};

impl Record for Team {
    record_parts!(TeamFields);
    const KIND: Kind = Kind::Team;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn references(&self) -> Vec<Reference> {
        let parent = self.fields.parent_id.map(|id| Reference {
            pointer: "/parent_id".to_owned(),
            kind: Kind::Team,
            id: id.0.into(),
        });
        parent.into_iter().collect()
    }
}

/// How many teams may stand above one another.
pub const DEEPEST_TEAMS: usize = 20;

/// Whether a team may stand below this one: that the way up from there does not lead back. `parent_of` answers with the
/// team above one.
pub fn check_parent<E: From<Refusal>>(
    team: TeamId,
    parent: Option<TeamId>,
    mut parent_of: impl FnMut(TeamId) -> Result<Option<TeamId>, E>,
) -> Result<(), E> {
    let mut above = parent;
    for _ in 0..DEEPEST_TEAMS {
        let Some(at) = above else {
            return Ok(());
        };
        if at == team {
            return Err(Refusal::fault("/parent_id", "circle", "is this team, or below it already").into());
        }
        above = parent_of(at)?;
    }
    match above {
        Some(_) => Err(Refusal::fault("/parent_id", "too_deep", "stands below too many teams").into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_make_no_circle() {
        let teams: Vec<_> = std::iter::repeat_with(TeamId::new).take(DEEPEST_TEAMS + 1).collect();
        let parent_of = |team| {
            let index = teams.iter().position(|other| *other == team).unwrap();
            Ok::<_, Refusal>(teams.get(index + 1).copied())
        };
        assert!(check_parent(TeamId::new(), Some(teams[1]), parent_of).is_ok());
        assert!(
            check_parent(TeamId::new(), Some(teams[0]), parent_of).is_err(),
            "too deep"
        );
        assert!(check_parent(teams[3], Some(teams[1]), parent_of).is_err());
        assert!(check_parent(teams[3], Some(teams[3]), parent_of).is_err());
        assert!(check_parent(teams[3], None, parent_of).is_ok());
    }
}
