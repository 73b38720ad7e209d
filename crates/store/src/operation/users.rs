//! How users are kept.

use crate::operation::credentials;
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use diesel::prelude::*;
use domain::operation::users::{User, UserFields};
use domain::{Meta, Refusal};
use sql::ids::RecordId;
use sql::schema::users;

stored!(User in users { fields: UserFields });

impl Stored for User {
    fn decide(tx: &mut Transaction<'_>, _: Option<&Self>, meta: Meta, fields: UserFields) -> Result<Self, Error> {
        if let Some(email) = &fields.email {
            check_email_is_free(tx, meta.id, email)?;
        }
        Ok(Self { meta, fields })
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        credentials::forget(tx, self.meta.id)
    }
}

/// That no other user, deleted or not, logs in with this address. The unique index has the last word; this one can say
/// where the fault is.
fn check_email_is_free(tx: &mut Transaction<'_>, id: RecordId, email: &str) -> Result<(), Error> {
    let tenant = tx.tenant();
    let others = users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(users::email.eq(email))
        .filter(users::id.ne(id));
    let taken = others
        .select(users::id)
        .first::<RecordId>(tx.connection())
        .optional()?
        .is_some();
    if taken {
        let message = "another user, perhaps a deleted one, has this address";
        return Err(Refusal::conflict("email_taken", message).into());
    }
    Ok(())
}
