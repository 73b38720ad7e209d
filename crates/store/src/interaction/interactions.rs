//! How interactions are kept, and what a customer's interactions amount to with them.

use crate::interaction::activity;
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use domain::Meta;
use domain::interaction::interactions::{Interaction, InteractionFields, InteractionState};

stored!(Interaction in interactions { fields: InteractionFields, state: InteractionState });

impl Stored for Interaction {
    fn decide(
        _: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: InteractionFields,
    ) -> Result<Self, Error> {
        let state = before.map(|before| before.state).unwrap_or_default();
        Ok(Self::new(meta, fields, state))
    }

    const CREATED_TOGETHER: bool = true;

    fn after_insert(tx: &mut Transaction<'_>, new: &[Self]) -> Result<(), Error> {
        activity::add(tx, new)
    }

    fn after_write(tx: &mut Transaction<'_>, before: Option<&Self>, after: &Self) -> Result<(), Error> {
        before.map_or(Ok(()), |before| activity::follow(tx, before, after))
    }

    fn after_erase(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        activity::count_anew(tx, self.fields.customer_id)
    }
}
