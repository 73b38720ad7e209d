//! Relationships: ties between two customers, each with a role and a direction.

use crate::fault::{Fault, Refusal};
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::validation::check_date;
use crate::{common_fields, record_parts, settable};
use chrono::NaiveDate;
use diesel::prelude::Queryable;
use serde::Serialize;
use sql::ids::CustomerId;
use utoipa::ToSchema;

sql::text_enum! {
    /// What the tie is. Read it as a sentence: `from` is named first.
    ///
    /// | role | sentence |
    /// | --- | --- |
    /// | works_at | `from` works at `to` |
    /// | buys_for | `from` buys on behalf of `to` |
    /// | parent_company | `from` has the parent company `to` |
    /// | household | `from` belongs to the household of `to` |
    /// | partner | `from` is a partner of `to` |
    /// | referred_by | `from` was referred by `to` |
    pub enum RelationshipRole {
        /// `from` works at `to`.
        WorksAt = "works_at",
        /// `from` buys on behalf of `to`.
        BuysFor = "buys_for",
        /// `from` has the parent company `to`.
        ParentCompany = "parent_company",
        /// `from` belongs to the household of `to`.
        Household = "household",
        /// `from` is a partner of `to`.
        Partner = "partner",
        /// `from` was referred by `to`.
        ReferredBy = "referred_by",
    }
}

settable! {
    /// What a client may set on a relationship. On any day a customer has one parent company at most, and the
    /// parent companies make no circle.
    pub struct RelationshipFields in relationships {
        /// The customer the tie starts from: who works, buys, belongs, was referred.
        #[schema(value_type = uuid::Uuid)]
        pub from_id: CustomerId,
        /// The customer the tie leads to; another one.
        #[schema(value_type = uuid::Uuid)]
        pub to_id: CustomerId,
        /// What the tie is.
        pub role: RelationshipRole,
        /// What the person is there, in words.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("Head of Purchasing"))]
        pub title: Option<String>,
        /// The first day, where it is known.
        #[validate(custom(function = "check_date"))]
        pub started_on: Option<NaiveDate>,
        /// The last day, where there is one; not before the first.
        #[validate(custom(function = "check_date"))]
        pub ended_on: Option<NaiveDate>,
    }
}

impl RelationshipFields {
    /// The days on which it holds.
    pub fn period(&self) -> Period {
        Period::new(self.started_on, self.ended_on)
    }
}

impl Fields for RelationshipFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        if self.from_id == self.to_id {
            faults.push(Fault::new(
                "/to_id",
                "same_customer",
                "must be another customer than from_id",
            ));
        }
        if self.period().is_empty() {
            faults.push(Fault::new("/ended_on", "out_of_range", "must not be before started_on"));
        }
    }
}

/// A tie between two customers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Relationship {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: RelationshipFields,
}

/// The fields of a relationship.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Relationship,
    plural: "relationships",
    table: "relationships",
    fields: &[
        Field::reference("from_id", Kind::Customer).required(),
        Field::reference("to_id", Kind::Customer).required(),
        Field::choice("role", RelationshipRole::TEXTS).required().indexed(),
        Field::text("title"),
        Field::new("started_on", FieldType::Date),
        Field::new("ended_on", FieldType::Date),
    ],
    relations: &[
        Relation::one("from", Kind::Customer, "from_id"),
        Relation::one("to", Kind::Customer, "to_id"),
    ],
    owned: true,
};

impl Record for Relationship {
    record_parts!(RelationshipFields);
    const KIND: Kind = Kind::Relationship;

    fn title(&self) -> &str {
        self.fields.title.as_deref().unwrap_or(self.fields.role.as_str())
    }

    fn references(&self) -> Vec<Reference> {
        [("/from_id", self.fields.from_id), ("/to_id", self.fields.to_id)]
            .map(|(pointer, id)| Reference {
                pointer: pointer.to_owned(),
                kind: Kind::Customer,
                id: id.0.into(),
            })
            .into()
    }
}

/// A run of days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

impl Period {
    /// From a first to a last day; where one is not known, there is no bound.
    pub fn new(first: Option<NaiveDate>, last: Option<NaiveDate>) -> Self {
        Self {
            first: first.unwrap_or(NaiveDate::MIN),
            last: last.unwrap_or(NaiveDate::MAX),
        }
    }

    /// The days that two runs share.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    /// Whether there is no day in it.
    pub fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// A tie from a company to its parent company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentTie {
    /// The parent company.
    pub parent: CustomerId,
    /// When it holds.
    pub period: Period,
}

/// How many parent companies may stand above one another.
pub const DEEPEST_HIERARCHY: usize = 50;

/// Whether a company may get this parent: no other one at the same time, and no circle on any day.
///
/// `parents_of` answers with the ties of a company to its parents, without the tie that is being written. The walk goes
/// up along the days that all ties so far share, so ties of different times make no circle together.
pub fn check_parent<E: From<Refusal>>(
    company: CustomerId,
    tie: ParentTie,
    mut parents_of: impl FnMut(CustomerId) -> Result<Vec<ParentTie>, E>,
) -> Result<(), E> {
    let shared = |other: &ParentTie| !other.period.intersection(tie.period).is_empty();
    if parents_of(company)?.iter().any(shared) {
        let message = "has another parent company at the same time; end that relationship first";
        return Err(Refusal::fault("/from_id", "second_parent", message).into());
    }
    let mut above = vec![tie];
    for _ in 0..DEEPEST_HIERARCHY {
        if above.iter().any(|tie| tie.parent == company) {
            return Err(Refusal::fault("/to_id", "circle", "is below this company already").into());
        }
        let mut next = Vec::new();
        for step in above {
            let ties = parents_of(step.parent)?.into_iter();
            let ties = ties.map(|tie| ParentTie {
                period: tie.period.intersection(step.period),
                ..tie
            });
            next.extend(ties.filter(|tie| !tie.period.is_empty()));
        }
        if next.is_empty() {
            return Ok(());
        }
        above = next;
    }
    Err(Refusal::fault("/to_id", "too_deep", "stands below too many parent companies").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(day.into())
    }

    fn fields(json: &str) -> Result<RelationshipFields, Refusal> {
        serde_json::from_str::<RelationshipFields>(json).unwrap().checked()
    }

    #[test]
    fn ends_are_in_order_and_customers_differ() {
        let [a, b] = [CustomerId::new(), CustomerId::new()];
        let json = |to: CustomerId, end: &str| {
            format!(
                r#"{{"from_id":"{a}","to_id":"{to}","role":"works_at","started_on":"2026-02-01","ended_on":"{end}"}}"#
            )
        };
        assert!(fields(&json(b, "2026-02-01")).is_ok());
        let Err(Refusal::Invalid(faults)) = fields(&json(a, "2026-01-31")) else {
            panic!("accepted");
        };
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/to_id", "/ended_on"]);
    }

    /// A world of parent ties, in memory.
    #[derive(Default)]
    struct World(HashMap<CustomerId, Vec<ParentTie>>);

    impl World {
        fn tie(&mut self, company: CustomerId, parent: CustomerId, first: u32, last: u32) -> Result<(), Refusal> {
            let tie = ParentTie {
                parent,
                period: Period {
                    first: day(first),
                    last: day(last),
                },
            };
            check_parent(company, tie, |of| {
                Ok::<_, Refusal>(self.0.get(&of).cloned().unwrap_or_default())
            })?;
            self.0.entry(company).or_default().push(tie);
            Ok(())
        }

        /// Whether walking up from anyone on a day ever comes back.
        fn has_circle_on(&self, today: u32) -> bool {
            let today = Period {
                first: day(today),
                last: day(today),
            };
            let parent = |of: &CustomerId| {
                let mut ties = self.0.get(of).into_iter().flatten();
                ties.find(|tie| !tie.period.intersection(today).is_empty())
                    .map(|tie| tie.parent)
            };
            self.0.keys().any(|start| {
                let walk = std::iter::successors(Some(*start), parent);
                walk.skip(1).take(self.0.len() + 1).any(|at| at == *start)
            })
        }
    }

    fn code(result: Result<(), Refusal>) -> String {
        match result {
            Err(Refusal::Invalid(faults)) => faults[0].code.clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn one_parent_at_a_time_and_no_circle() {
        let [a, b, c] = [CustomerId::new(), CustomerId::new(), CustomerId::new()];
        let mut world = World::default();
        world.tie(a, b, 0, 10).unwrap();
        assert_eq!(code(world.tie(a, c, 10, 20)), "second_parent");
        world.tie(a, c, 11, 20).unwrap();
        assert_eq!(code(world.tie(b, a, 5, 30)), "circle");
        world.tie(b, a, 21, 30).unwrap();
        world.tie(c, b, 0, 10).unwrap();
        // Now a is below c until day 20, and b below a from day 21: never both, so c may stand below b.
        world.tie(c, b, 11, 30).unwrap();
        assert_eq!(code(world.tie(a, c, 21, 30)), "circle");
    }

    #[test]
    fn hierarchies_end_somewhere() {
        let mut world = World::default();
        let companies: Vec<_> = std::iter::repeat_with(CustomerId::new)
            .take(DEEPEST_HIERARCHY + 2)
            .collect();
        let results: Vec<_> = companies
            .windows(2)
            .rev()
            .map(|pair| world.tie(pair[0], pair[1], 0, 1))
            .collect();
        assert!(results[..DEEPEST_HIERARCHY].iter().all(Result::is_ok));
        assert_eq!(code(results[DEEPEST_HIERARCHY].clone()), "too_deep");
    }

    proptest! {
        #[test]
        fn no_day_ever_sees_a_circle(ties in prop::collection::vec((0..5_usize, 0..5_usize, 0..8_u32, 0..8_u32), 0..40)) {
            let companies: Vec<_> = std::iter::repeat_with(CustomerId::new).take(5).collect();
            let mut world = World::default();
            for (company, parent, first, length) in ties {
                let _ = world.tie(companies[company], companies[parent], first, first + length);
            }
            for today in 0..16 {
                prop_assert!(!world.has_circle_on(today));
            }
        }
    }
}
