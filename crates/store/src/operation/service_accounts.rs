//! How service accounts are kept.

use crate::operation::credentials;
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use domain::Meta;
use domain::operation::service_accounts::{ServiceAccount, ServiceAccountFields};

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
        credentials::forget(tx, self.meta.id)
    }
}
