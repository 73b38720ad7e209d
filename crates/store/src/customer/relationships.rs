//! How relationships are kept: parent companies are checked against those there are.

use crate::customer::merges;
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use chrono::NaiveDate;
use diesel::prelude::*;
use domain::Meta;
use domain::customer::relationships::{
    ParentTie, Period, Relationship, RelationshipFields, RelationshipRole, check_parent,
};
use sql::DatabaseConnection;
use sql::ids::{CustomerId, RecordId};
use sql::schema::{customers, relationships};

stored!(Relationship in relationships { fields: RelationshipFields });

impl Stored for Relationship {
    fn decide(
        tx: &mut Transaction<'_>,
        _: Option<&Self>,
        meta: Meta,
        fields: RelationshipFields,
    ) -> Result<Self, Error> {
        if fields.role == RelationshipRole::ParentCompany {
            check_parent_company(tx, meta.id, &fields)?;
        }
        Ok(Self { meta, fields })
    }

    /// A tie that ended because its customers were merged stays ended for as long as they are.
    fn before_restore(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        merges::refuse_merged(tx, RecordId(self.fields.from_id.0))?;
        merges::refuse_merged(tx, RecordId(self.fields.to_id.0))
    }
}

/// The ties between two customers that are not deleted.
pub(crate) fn between(tx: &mut Transaction<'_>, one: CustomerId, other: CustomerId) -> Result<Vec<RecordId>, Error> {
    let ends = vec![one, other];
    Ok(relationships::table
        .filter(relationships::tenant_id.eq(tx.tenant()))
        .filter(relationships::from_id.eq_any(ends.clone()))
        .filter(relationships::to_id.eq_any(ends))
        .filter(relationships::deleted_at.is_null())
        .select(relationships::id)
        .load(tx.connection())?)
}

/// The ties of the other company to a parent that the one has at the same time.
pub(crate) fn parents_in_common(
    tx: &mut Transaction<'_>,
    one: CustomerId,
    other: CustomerId,
) -> Result<Vec<RecordId>, Error> {
    let ours = parent_ties(tx, one)?;
    let mut theirs = parent_ties(tx, other)?;
    theirs.retain(|(_, tie)| {
        let shares = |our: &ParentTie| our.parent == tie.parent && !our.period.intersection(tie.period).is_empty();
        ours.iter().any(|(_, our)| shares(our))
    });
    Ok(theirs.into_iter().map(|(id, _)| id).collect())
}

/// That the parents of a company are as they may be: one at a time, and no circle.
pub(crate) fn check_parents(tx: &mut Transaction<'_>, company: CustomerId) -> Result<(), Error> {
    for (id, tie) in parent_ties(tx, company)? {
        check_parent(company, tie, |company| {
            lock(tx, company)?;
            parents_of(tx, company, id)
        })?;
    }
    Ok(())
}

/// Checks a tie to a parent company, so that ties written at the same time make no circle together either: the company
/// is marked as changed, and those above it are locked, so that of two transactions that could make one, PostgreSQL
/// lets one start again.
fn check_parent_company(tx: &mut Transaction<'_>, id: RecordId, fields: &RelationshipFields) -> Result<(), Error> {
    mark_changed(tx, fields.from_id)?;
    let tie = ParentTie {
        parent: fields.to_id,
        period: fields.period(),
    };
    check_parent(fields.from_id, tie, |company| {
        lock(tx, company)?;
        parents_of(tx, company, id)
    })
}

fn mark_changed(tx: &mut Transaction<'_>, company: CustomerId) -> Result<(), Error> {
    if let (tenant, DatabaseConnection::Postgres(postgres)) = (tx.tenant(), tx.connection()) {
        let company = customers::table.find((tenant, company));
        diesel::update(company)
            .set(customers::version.eq(customers::version))
            .execute(postgres)?;
    }
    Ok(())
}

fn lock(tx: &mut Transaction<'_>, company: CustomerId) -> Result<(), Error> {
    if let (tenant, DatabaseConnection::Postgres(postgres)) = (tx.tenant(), tx.connection()) {
        let company = customers::table.find((tenant, company)).select(customers::id);
        company.for_share().first::<RecordId>(postgres).optional()?;
    }
    Ok(())
}

/// The ties of a company to its parents, without one of them.
fn parents_of(tx: &mut Transaction<'_>, company: CustomerId, without: RecordId) -> Result<Vec<ParentTie>, Error> {
    let mut ties = parent_ties(tx, company)?;
    ties.retain(|(id, _)| *id != without);
    Ok(ties.into_iter().map(|(_, tie)| tie).collect())
}

fn parent_ties(tx: &mut Transaction<'_>, company: CustomerId) -> Result<Vec<(RecordId, ParentTie)>, Error> {
    let ties: Vec<(RecordId, CustomerId, Option<NaiveDate>, Option<NaiveDate>)> = relationships::table
        .filter(relationships::tenant_id.eq(tx.tenant()))
        .filter(relationships::from_id.eq(company))
        .filter(relationships::role.eq(RelationshipRole::ParentCompany))
        .filter(relationships::deleted_at.is_null())
        .select((
            relationships::id,
            relationships::to_id,
            relationships::started_on,
            relationships::ended_on,
        ))
        .load(tx.connection())?;
    let tie = |(id, parent, first, last)| {
        let period = Period::new(first, last);
        (id, ParentTie { parent, period })
    };
    Ok(ties.into_iter().map(tie).collect())
}
