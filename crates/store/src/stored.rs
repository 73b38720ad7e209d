//! The queries every table needs, stamped out in plain Diesel, and the hooks that a kind of record may have.

use crate::filter::{Condition, Order};
use crate::{Error, Transaction};
use diesel::prelude::QueryResult;
use domain::{Meta, Record};
use sql::DatabaseConnection;
use sql::ids::{RecordId, TenantId};

/// Members that a change may write for its statement to stay prepared: one for each member of a kind. Of sets of several
/// there are too many, and nothing takes a statement out of Diesel's cache.
pub const FEW_CHANGES: usize = 1;

/// The queries on one table of records. Made by `stored!`.
pub trait Table: Record {
    /// The record with this id, deleted or not; on PostgreSQL its row can be locked until the transaction ends.
    fn find(c: &mut DatabaseConnection, tenant: TenantId, id: RecordId, lock: bool) -> QueryResult<Option<Self>>;

    /// The record with this id, if it is not deleted and meets a condition.
    fn find_passing(
        c: &mut DatabaseConnection,
        tenant: TenantId,
        id: RecordId,
        condition: Condition,
    ) -> QueryResult<Option<Self>>;

    /// Whether there is a record with this id that is not deleted.
    fn exists(c: &mut DatabaseConnection, tenant: TenantId, id: RecordId) -> QueryResult<bool>;

    /// Whether the record with this id is not deleted and has this version.
    fn has_version(c: &mut DatabaseConnection, tenant: TenantId, id: RecordId, version: i64) -> QueryResult<bool>;

    /// Those of these ids that are of records that are not deleted and meet a condition, in no order.
    fn existing(
        c: &mut DatabaseConnection,
        tenant: TenantId,
        ids: &[RecordId],
        condition: Condition,
    ) -> QueryResult<Vec<RecordId>>;

    /// The records with these ids that are not deleted and meet a condition, in no order.
    fn find_many(
        c: &mut DatabaseConnection,
        tenant: TenantId,
        ids: &[RecordId],
        condition: Condition,
    ) -> QueryResult<Vec<Self>>;

    /// Gives the first records in order that are not deleted and meet a condition, one after the other, until one is not
    /// taken.
    fn each(
        c: &mut DatabaseConnection,
        tenant: TenantId,
        condition: Condition,
        order: Order,
        limit: i64,
        take: &mut dyn FnMut(Self) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// All of them.
    fn page(
        c: &mut DatabaseConnection,
        tenant: TenantId,
        condition: Condition,
        order: Order,
        limit: i64,
    ) -> Result<Vec<Self>, Error> {
        let mut found = Vec::new();
        Self::each(c, tenant, condition, order, limit, &mut |record| {
            found.push(record);
            Ok(())
        })?;
        Ok(found)
    }

    /// How many records are not deleted and meet a condition.
    fn count(c: &mut DatabaseConnection, tenant: TenantId, condition: Condition) -> QueryResult<i64>;

    /// Writes new rows.
    fn insert(c: &mut DatabaseConnection, new: &[Self]) -> QueryResult<()>;

    /// Writes what has changed over the row if it still has the version of before, and tells whether it had.
    fn update(&self, c: &mut DatabaseConnection, before: &Self) -> QueryResult<bool>;

    /// Removes the row.
    fn remove(c: &mut DatabaseConnection, tenant: TenantId, id: RecordId) -> QueryResult<()>;
}

/// What is special about keeping one kind of record. The mechanics of [`crate::records`] call these.
pub trait Stored: Table {
    /// Decides what the record becomes: loads what the domain's decision needs and asks it.
    fn decide(tx: &mut Transaction<'_>, before: Option<&Self>, meta: Meta, fields: Self::Fields)
    -> Result<Self, Error>;

    /// Whether several new ones may be decided upon together: none of them depends on those before it.
    const CREATED_TOGETHER: bool = false;

    /// Refuses new records that there seem to be already.
    fn before_insert(_tx: &mut Transaction<'_>, _new: &[Self]) -> Result<(), Error> {
        Ok(())
    }

    /// Writes what hangs on new records.
    fn after_insert(tx: &mut Transaction<'_>, new: &[Self]) -> Result<(), Error> {
        new.iter().try_for_each(|new| Self::after_write(tx, None, new))
    }

    /// Writes what hangs on the record, after it was written itself: created, changed, deleted or restored.
    fn after_write(_tx: &mut Transaction<'_>, _before: Option<&Self>, _after: &Self) -> Result<(), Error> {
        Ok(())
    }

    /// Completes the record by what can be known only once its row is written, such as which rules it meets, and says
    /// whether that changed it. Whoever changes it writes the row anew, at the same version.
    fn complete(&mut self, _tx: &mut Transaction<'_>, _before: Option<&Self>) -> Result<bool, Error> {
        Ok(false)
    }

    /// Why there is no record of this id for the caller.
    fn absent(_tx: &mut Transaction<'_>, _id: RecordId) -> Result<Error, Error> {
        Ok(Error::NotFound)
    }

    /// Refuses to restore what is deleted for a reason that still holds.
    fn before_restore(&self, _tx: &mut Transaction<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Refuses to delete what others still need.
    fn before_delete(&self, _tx: &mut Transaction<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Removes what hangs on the record, before it is removed itself.
    fn before_purge(&self, _tx: &mut Transaction<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Brings in step what was derived from the record, after it was removed for good.
    fn after_erase(&self, _tx: &mut Transaction<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// What the event of an update is called: `updated`, or what it amounts to (`won`).
    fn update_event(_before: &Self, _after: &Self) -> &'static str {
        "updated"
    }
}

/// Stamps the queries of a table for a record made of `meta` and the parts named.
///
/// ```text
/// stored!(Opportunity in opportunities { fields: OpportunityFields, state: OpportunityState });
/// ```
#[macro_export]
macro_rules! stored {
    ($record:ident in $table:ident { $($part:ident: $type:ty),+ }) => {
        const _: () = {
            use ::diesel::prelude::*;
            use ::domain::record::Columns;
            use ::domain::{Meta, Record};
            use ::sql::ids::{RecordId, TenantId};
            use ::sql::schema::$table::{self, columns as c};
            use ::sql::DatabaseConnection;
            use $crate::filter::{Condition, Order};

            type MetaColumns = (
                c::tenant_id, c::id, c::version, c::created_at, c::updated_at, c::created_by, c::updated_by, c::deleted_at,
            );
            const META: MetaColumns = (
                c::tenant_id, c::id, c::version, c::created_at, c::updated_at, c::created_by, c::updated_by, c::deleted_at,
            );

            fn record((meta, $($part),+): (Meta, $($type),+)) -> $record {
                $record { meta, $($part),+ }
            }

            impl $crate::stored::Table for $record {
                fn find(connection: &mut DatabaseConnection, tenant: TenantId, id: RecordId, lock: bool) -> QueryResult<Option<Self>> {
                    if lock && let DatabaseConnection::Postgres(postgres) = connection {
                        $table::table.find((tenant, id)).select(c::id).for_update().first::<RecordId>(postgres).optional()?;
                    }
                    // Asked of the database itself, the text of the query is made once and not for each record.
                    ::sql::on_either!(connection, |c| {
                        let query = $table::table.find((tenant, id)).select((META, $(<$type>::as_select()),+));
                        query.first(c).optional()
                    })
                    .map(|row| row.map(record))
                }

                fn find_passing(
                    connection: &mut DatabaseConnection,
                    tenant: TenantId,
                    id: RecordId,
                    condition: Condition,
                ) -> QueryResult<Option<Self>> {
                    let row = $table::table.find((tenant, id)).filter(c::deleted_at.is_null()).filter(condition);
                    ::sql::on_either!(connection, |c| row.select((META, $(<$type>::as_select()),+)).first(c).optional())
                        .map(|row| row.map(record))
                }

                fn exists(connection: &mut DatabaseConnection, tenant: TenantId, id: RecordId) -> QueryResult<bool> {
                    let row = $table::table.find((tenant, id)).filter(c::deleted_at.is_null());
                    ::diesel::select(::diesel::dsl::exists(row)).get_result(connection)
                }

                fn has_version(
                    connection: &mut DatabaseConnection,
                    tenant: TenantId,
                    id: RecordId,
                    version: i64,
                ) -> QueryResult<bool> {
                    let row = $table::table.find((tenant, id)).filter(c::version.eq(version));
                    let row = row.filter(c::deleted_at.is_null());
                    ::diesel::select(::diesel::dsl::exists(row)).get_result(connection)
                }

                fn existing(
                    connection: &mut DatabaseConnection,
                    tenant: TenantId,
                    ids: &[RecordId],
                    condition: Condition,
                ) -> QueryResult<Vec<RecordId>> {
                    let query = $table::table
                        .filter(c::tenant_id.eq(tenant))
                        .filter(c::id.eq_any(ids.to_vec()))
                        .filter(c::deleted_at.is_null())
                        .filter(condition)
                        .select(c::id);
                    query.load(connection)
                }

                fn find_many(
                    connection: &mut DatabaseConnection,
                    tenant: TenantId,
                    ids: &[RecordId],
                    condition: Condition,
                ) -> QueryResult<Vec<Self>> {
                    let query = $table::table
                        .filter(c::tenant_id.eq(tenant))
                        .filter(c::id.eq_any(ids.to_vec()))
                        .filter(c::deleted_at.is_null())
                        .filter(condition)
                        .select((META, $(<$type>::as_select()),+));
                    query.load(connection).map(|rows| rows.into_iter().map(record).collect())
                }

                fn each(
                    connection: &mut DatabaseConnection,
                    tenant: TenantId,
                    condition: Condition,
                    order: Order,
                    limit: i64,
                    take: &mut dyn FnMut(Self) -> Result<(), $crate::Error>,
                ) -> Result<(), $crate::Error> {
                    let query = $table::table
                        .filter(c::tenant_id.eq(tenant))
                        .filter(c::deleted_at.is_null())
                        .filter(condition)
                        .order(order)
                        .limit(limit);
                    ::sql::on_either!(connection, |c| {
                        let query = query.select((META, $(<$type>::as_select()),+));
                        query
                            .load_iter::<_, ::diesel::connection::DefaultLoadingMode>(c)?
                            .try_for_each(|row| take(record(row?)))
                    })
                }

                fn count(connection: &mut DatabaseConnection, tenant: TenantId, condition: Condition) -> QueryResult<i64> {
                    let query = $table::table
                        .filter(c::tenant_id.eq(tenant))
                        .filter(c::deleted_at.is_null())
                        .filter(condition)
                        .select(::diesel::dsl::count_star());
                    query.first(connection)
                }

                fn insert(connection: &mut DatabaseConnection, new: &[Self]) -> QueryResult<()> {
                    let rows = new.iter().map(|record| {
                        let meta = record.meta();
                        (
                            (
                                c::tenant_id.eq(meta.tenant_id),
                                c::id.eq(meta.id),
                                c::version.eq(meta.version),
                                c::created_at.eq(meta.created_at),
                                c::updated_at.eq(meta.updated_at),
                                c::created_by.eq(meta.created_by),
                                c::updated_by.eq(meta.updated_by),
                            ),
                            $(&record.$part),+
                        )
                    });
                    ::sql::insert_all!(connection, $table::table, rows).map(drop)
                }

                fn update(&self, connection: &mut DatabaseConnection, before: &Self) -> QueryResult<bool> {
                    let meta = self.meta();
                    let columns = (
                        (
                            c::version.eq(meta.version),
                            c::updated_at.eq(meta.updated_at),
                            c::updated_by.eq(meta.updated_by),
                        ),
                        (meta.deleted_at != before.meta.deleted_at).then_some(c::deleted_at.eq(meta.deleted_at)),
                        $(self.$part.changed(&before.$part)),+
                    );
                    let changes = 0 $(+ self.$part.count_changed(&before.$part))+;
                    let row = $table::table.find((meta.tenant_id, meta.id)).filter(c::version.eq(before.meta.version));
                    let written = ::sql::on_either!(connection, |c| {
                        ::sql::run_kept!(c, ::diesel::update(row).set(columns), if changes <= $crate::stored::FEW_CHANGES)
                    });
                    written.map(|rows| rows == 1)
                }

                fn remove(connection: &mut DatabaseConnection, tenant: TenantId, id: RecordId) -> QueryResult<()> {
                    ::diesel::delete($table::table.find((tenant, id))).execute(connection).map(drop)
                }
            }
        };
    };
}
