//! How relationships are kept: parent companies are checked against those there are.

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
    let tenant = tx.tenant();
    let ties: Vec<(CustomerId, Option<NaiveDate>, Option<NaiveDate>)> = relationships::table
        .filter(relationships::tenant_id.eq(tenant))
        .filter(relationships::from_id.eq(company))
        .filter(relationships::role.eq(RelationshipRole::ParentCompany))
        .filter(relationships::deleted_at.is_null())
        .filter(relationships::id.ne(without))
        .select((relationships::to_id, relationships::started_on, relationships::ended_on))
        .load(tx.connection())?;
    let tie = |(parent, first, last)| ParentTie {
        parent,
        period: Period::new(first, last),
    };
    Ok(ties.into_iter().map(tie).collect())
}
