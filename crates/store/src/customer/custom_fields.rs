//! How custom fields are kept, and what a change of one may not do to the values that records hold.

use crate::stored::Stored;
use crate::{Error, Transaction, custom_values, stored};
use diesel::prelude::*;
use domain::customer::custom_fields::{CustomField, CustomFieldFields, MOST_CUSTOM_FIELDS};
use domain::{Meta, Refusal};
use sql::ids::RecordId;
use sql::on_either;
use sql::schema::custom_fields;

stored!(CustomField in custom_fields { fields: CustomFieldFields });

impl Stored for CustomField {
    fn decide(
        tx: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: CustomFieldFields,
    ) -> Result<Self, Error> {
        if let Some(before) = before {
            before.check_change(&fields)?;
        }
        check_place(tx, meta.id, &fields)?;
        Ok(Self { meta, fields })
    }

    fn after_write(tx: &mut Transaction<'_>, _: Option<&Self>, _: &Self) -> Result<(), Error> {
        tx.known().custom_fields = None;
        Ok(())
    }

    fn before_delete(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        if custom_values::is_used(tx, self.fields.resource, &self.fields.key)? {
            let detail = "Records have values of this field. Archive it instead, or clear them first.";
            return Err(Refusal::conflict("custom_field_in_use", detail).into());
        }
        Ok(())
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        tx.known().custom_fields = None;
        match self.meta.deleted_at {
            // Its key may be another field's by now.
            Some(_) => Ok(()),
            None => self.before_delete(tx),
        }
    }
}

/// All of the tenant that are not deleted, oldest first.
pub(crate) fn all(tx: &mut Transaction<'_>) -> Result<Vec<CustomField>, Error> {
    use crate::filter::Order;
    use crate::{records, stored::Table};
    let tenant = tx.tenant();
    // Asked for each write, mostly in vain: only a query without conditions of its own has its text made once.
    let any = custom_fields::table
        .filter(custom_fields::tenant_id.eq(tenant))
        .filter(custom_fields::deleted_at.is_null());
    if !on_either!(tx.connection(), |c| diesel::select(diesel::dsl::exists(any))
        .get_result(c))?
    {
        return Ok(Vec::new());
    }
    let condition = records::visible_condition::<CustomField>(tx);
    let order = Order::by_id(domain::Kind::CustomField.registry());
    CustomField::page(tx.connection(), tenant, condition, order, i64::MAX)
}

/// That the key is free and there are not too many. On PostgreSQL two at once may pass: the index refuses the second.
fn check_place(tx: &mut Transaction<'_>, id: RecordId, fields: &CustomFieldFields) -> Result<(), Error> {
    let others = custom_fields::table
        .filter(custom_fields::tenant_id.eq(tx.tenant()))
        .filter(custom_fields::resource.eq(fields.resource))
        .filter(custom_fields::deleted_at.is_null())
        .filter(custom_fields::id.ne(id))
        .select(custom_fields::key);
    let keys: Vec<String> = others.load(tx.connection())?;
    if keys.contains(&fields.key) {
        let detail = "another custom field of this kind of record has the key";
        return Err(Refusal::conflict("key_taken", detail).into());
    }
    if i64::try_from(keys.len()).is_ok_and(|count| count >= MOST_CUSTOM_FIELDS) {
        let detail = format!("a kind of record has at most {MOST_CUSTOM_FIELDS} custom fields");
        return Err(Refusal::conflict("too_many_custom_fields", detail).into());
    }
    Ok(())
}
