//! How business hours are kept.

use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use domain::service::business_hours::{BusinessHours, BusinessHoursFields};
use domain::{Meta, Refusal};
use sql::ids::BusinessHoursId;
use sql::schema::sla_policies;

stored!(BusinessHours in business_hours { fields: BusinessHoursFields });

impl Stored for BusinessHours {
    fn decide(
        _: &mut Transaction<'_>,
        _: Option<&Self>,
        meta: Meta,
        fields: BusinessHoursFields,
    ) -> Result<Self, Error> {
        Ok(Self { meta, fields })
    }

    fn before_delete(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let counted_by = sla_policies::table
            .filter(sla_policies::tenant_id.eq(tx.tenant()))
            .filter(sla_policies::business_hours_id.eq(BusinessHoursId(self.meta.id.0)))
            .filter(sla_policies::deleted_at.is_null());
        if select(exists(counted_by)).get_result(tx.connection())? {
            let detail = "Policies of service levels count by these hours. Give them others first.";
            return Err(Refusal::conflict("business_hours_in_use", detail).into());
        }
        Ok(())
    }
}
