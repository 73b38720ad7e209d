//! How tenants are kept.

use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::operation::tenants::Tenant;
use sql::ids::TenantId;
use sql::schema::tenants;

/// Sets up a tenant.
pub fn create(tx: &mut Transaction<'_>, tenant: &Tenant) -> Result<(), Error> {
    diesel::insert_into(tenants::table)
        .values(tenant)
        .execute(tx.connection())?;
    Ok(())
}

/// The tenant with this id.
pub fn find(tx: &mut Transaction<'_>, id: TenantId) -> Result<Option<Tenant>, Error> {
    let row = tenants::table.find(id).select(Tenant::as_select());
    Ok(row.first(tx.connection()).optional()?)
}

/// The tenant with this name.
pub fn find_by_name(tx: &mut Transaction<'_>, name: &str) -> Result<Option<Tenant>, Error> {
    let row = tenants::table
        .filter(tenants::name.eq(name))
        .select(Tenant::as_select());
    Ok(row.first(tx.connection()).optional()?)
}

/// Every tenant, oldest first.
pub fn all(tx: &mut Transaction<'_>) -> Result<Vec<Tenant>, Error> {
    let rows = tenants::table.order(tenants::id).select(Tenant::as_select());
    Ok(rows.load(tx.connection())?)
}
