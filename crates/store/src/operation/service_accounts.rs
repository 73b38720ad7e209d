//! How service accounts are kept.

use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use diesel::prelude::*;
use domain::Meta;
use domain::operation::service_accounts::{ServiceAccount, ServiceAccountFields};
use sql::ids::ServiceAccountId;
use sql::schema::client_secrets;

stored!(ServiceAccount in service_accounts { fields: ServiceAccountFields });

impl Stored for ServiceAccount {
    fn decide(
        _: &mut Transaction<'_>,
        _: Option<&Self>,
        meta: Meta,
        fields: ServiceAccountFields,
    ) -> Result<Self, Error> {
        Ok(Self { meta, fields })
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let secrets = client_secrets::table
            .filter(client_secrets::tenant_id.eq(tx.tenant()))
            .filter(client_secrets::service_account_id.eq(ServiceAccountId(self.meta.id.0)));
        diesel::delete(secrets).execute(tx.connection())?;
        Ok(())
    }
}
