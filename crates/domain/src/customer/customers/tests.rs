use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use sql::ids::TenantId;
use utoipa::PartialSchema;

fn checked(input: &Value) -> Result<CustomerFields, Refusal> {
    serde_json::from_value::<CustomerFields>(input.clone())
        .unwrap()
        .checked()
}

fn fields(input: &Value) -> CustomerFields {
    checked(input).unwrap()
}

fn faults(result: Result<impl Sized, Refusal>) -> Vec<(String, String)> {
    match result {
        Ok(_) => Vec::new(),
        Err(Refusal::Invalid(faults)) => faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect(),
        Err(other) => panic!("{other}"),
    }
}

fn fault(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn customer(input: &Value) -> Customer {
    let now = instant("2026-01-01T00:00:00Z");
    Customer::create(Meta::new(TenantId::new(), now, None), fields(input), now).unwrap()
}

fn changed(before: &Customer, input: &Value) -> Result<Customer, Refusal> {
    let now = instant("2026-02-01T00:00:00Z");
    before.change(before.meta.changed(now, None), checked(input)?, now)
}

#[test]
fn a_persons_name_is_made_of_its_parts_and_follows_them() {
    let ada = customer(&json!({"kind": "person", "given_name": "Ada", "family_name": "Byron"}));
    assert_eq!(ada.fields.name, "Ada Byron");

    let married = json!({"kind": "person", "name": "Ada Byron", "given_name": "Ada", "family_name": "Lovelace"});
    assert_eq!(changed(&ada, &married).unwrap().fields.name, "Ada Lovelace");

    let titled = json!({"kind": "person", "name": "Lady Lovelace", "given_name": "Ada", "family_name": "Byron"});
    let titled = changed(&ada, &titled).unwrap();
    assert_eq!(titled.fields.name, "Lady Lovelace");
    let input = json!({"kind": "person", "name": "Lady Lovelace", "given_name": "Ada", "family_name": "King"});
    assert_eq!(changed(&titled, &input).unwrap().fields.name, "Lady Lovelace");
}

#[test]
fn a_name_is_required_where_it_cannot_be_made() {
    assert_eq!(
        faults(checked(&json!({"kind": "person"}))),
        [fault("/name", "required")]
    );
    assert_eq!(
        faults(checked(&json!({"kind": "organisation", "name": "  "}))),
        [fault("/name", "required")]
    );
    assert!(checked(&json!({"kind": "organisation", "name": "Acme"})).is_ok());
}

#[test]
fn an_organisation_has_nothing_of_a_person() {
    let input = json!({
        "kind": "organisation", "name": "Acme", "given_name": "A", "birth_date": "2000-01-01",
        "demographics": {"gender": "other"},
    });
    let code = "persons_only";
    let expected = [
        fault("/given_name", code),
        fault("/birth_date", code),
        fault("/demographics", code),
    ];
    assert_eq!(faults(checked(&input)), expected);
}

#[test]
fn contact_points_come_to_their_one_form() {
    let fields = fields(&json!({
        "kind": "person", "name": "Ada",
        "emails": [{"address": " Ada.L@Example.COM "}, {"address": "ada@example.org"}],
        "phones": [{"number": "030 / 123 456 78"}, {"number": "+1 (202) 555-0143", "primary": true}],
        "addresses": [{"city": "Paris", "country": "FR"}, {"city": "Berlin", "country": "DE", "primary": true}],
        "handles": [{"network": "x", "handle": "@AdaL"}],
        "language": "EN-gb", "time_zone": "Europe/London",
    }));
    assert_eq!(fields.emails[0].address, "Ada.L@example.com");
    assert!(fields.emails[0].primary && !fields.emails[1].primary);
    assert_eq!(fields.phones[0].number, "+493012345678");
    assert!(!fields.phones[0].primary && fields.phones[1].primary);
    assert_eq!(fields.handles[0].handle, "AdaL");
    assert_eq!(fields.language.as_deref(), Some("en-GB"));
    let again = fields.clone().checked().unwrap();
    assert_eq!(again, fields);

    let now = instant("2026-01-01T00:00:00Z");
    let ada = Customer::create(Meta::new(TenantId::new(), now, None), fields, now).unwrap();
    let values = ada.values();
    let value = |field: &str| values.iter().find(|(name, _)| *name == field).unwrap().1.join(" ");
    assert_eq!(value("emails"), "ada.l@example.com ada@example.org");
    assert_eq!(value("country"), "DE FR");
    assert_eq!(value("city"), "Berlin Paris");
    assert_eq!(value("handles"), "x:adal");
}

#[test]
fn a_phone_number_that_stays_is_not_held_against_the_numbering_plan_again() {
    let parsed = |input: Value| serde_json::from_value::<CustomerFields>(input).unwrap();
    let no_number = json!([{"number": "+4912"}]);
    let before = parsed(json!({"kind": "person", "name": "Ada", "phones": no_number}));
    let after = parsed(json!({"kind": "person", "name": "Ada Lovelace", "phones": no_number}));
    let refused = [fault("/phones/0/number", "invalid_format")];
    assert_eq!(faults(after.clone().checked()), refused);
    assert_eq!(faults(after.clone().checked_with(Some(&before), None)), []);
    let fewer = parsed(json!({"kind": "person", "name": "Ada"}));
    assert_eq!(faults(after.checked_with(Some(&fewer), None)), refused);

    let more = json!([{"number": "030 12345678"}, {"number": "+4912", "label": "old"}]);
    let addresses = json!([{"country": "DE"}]);
    let more = parsed(json!({"kind": "person", "name": "Ada", "phones": more, "addresses": addresses}));
    let more = more.checked_with(Some(&before), None).unwrap();
    assert_eq!(more.phones[0].number, "+493012345678");
    let patch = |patch: Value| {
        crate::input::merged(&before, &patch, None)
            .map(drop)
            .map_err(Refusal::Invalid)
    };
    assert_eq!(
        faults(patch(json!({"language": 5}))),
        [fault("/language", "invalid_type")]
    );
}

#[test]
fn every_fault_of_a_body_is_told_at_its_place() {
    let input = json!({
        "kind": "person", "name": "Ada",
        "emails": [{"address": "ada", "primary": true}, {"address": "a@b.de", "primary": true}, {"address": "A@B.DE"}],
        "phones": [{"number": "030 12345678"}],
        "addresses": [{"country": "UK"}, {"label": "home"}],
        "handles": [{"network": "X", "handle": "ada"}],
        "language": "english please",
        "interests": ["chess", "chess"],
    });
    let expected = [
        fault("/phones/0/number", "invalid_format"),
        fault("/language", "invalid_format"),
        fault("/emails/0/address", "invalid_format"),
        fault("/emails/2", "duplicate"),
        fault("/emails/1/primary", "second_primary"),
        fault("/addresses/0/country", "unknown_country"),
        fault("/addresses/1", "required"),
        fault("/handles/0/network", "invalid_format"),
        fault("/interests/1", "duplicate"),
    ];
    assert_eq!(faults(checked(&input)), expected);
    assert!(serde_json::from_value::<CustomerFields>(json!({"kind": "person", "shoe_size": 42})).is_err());
    let zone = json!({"kind": "person", "time_zone": "Mars/Olympus_Mons"});
    assert!(serde_json::from_value::<CustomerFields>(zone).is_err());
}

#[test]
fn nothing_has_happened_that_is_still_to_come() {
    let now = instant("2026-06-30T12:00:00Z");
    let create = |input: &Value| Customer::create(Meta::new(TenantId::new(), now, None), fields(input), now);
    let born = |day: &str| create(&json!({"kind": "person", "name": "Ada", "birth_date": day}));
    assert!(born("2026-07-01").is_ok(), "it is July on Kiritimati");
    assert_eq!(faults(born("2026-07-02")), [fault("/birth_date", "out_of_range")]);
    let founded = create(&json!({"kind": "organisation", "name": "Acme", "organisation": {"founded_year": 2027}}));
    assert_eq!(faults(founded), [fault("/organisation/founded_year", "out_of_range")]);
}

#[test]
fn a_move_along_the_lifecycle_is_dated_and_legal() {
    let stage = |stage: &str| json!({"kind": "organisation", "name": "Acme", "lifecycle": stage});
    let lead = customer(&stage("lead"));
    let renamed = changed(
        &lead,
        &json!({"kind": "organisation", "name": "Acme Inc", "lifecycle": "lead"}),
    )
    .unwrap();
    assert_eq!(renamed.state, lead.state, "only a move changes the date");
    let won = changed(&lead, &stage("customer")).unwrap();
    assert_eq!(won.state.lifecycle_since, instant("2026-02-01T00:00:00Z"));
    assert_eq!(
        faults(changed(&lead, &stage("loyal"))),
        [fault("/lifecycle", "illegal_transition")]
    );
}

#[test]
fn the_schema_asks_for_what_is_needed_only() {
    let schema = serde_json::to_value(CustomerFields::schema()).unwrap();
    assert_eq!(schema["required"], json!(["kind"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["properties"]["given_name"]["maxLength"], json!(100));
    assert_eq!(schema["properties"]["emails"]["maxItems"], json!(20));
}

#[test]
fn every_list_of_the_registry_has_its_values() {
    let values = customer(&json!({"kind": "person", "name": "Ada"})).values();
    let lists = REGISTRY
        .fields
        .iter()
        .filter(|field| field.field_type == FieldType::List);
    // Duplicates are looked up by keys that nobody filters by.
    let keys = [NAME_KEYS, TAX_KEYS].into_iter();
    let names: Vec<_> = keys.chain(lists.map(|field| field.name)).collect();
    assert_eq!(values.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
}

#[test]
fn every_json_field_of_the_registry_is_a_member() {
    let record = serde_json::to_value(customer(&json!({"kind": "person", "name": "Ada"}))).unwrap();
    for field in REGISTRY.fields {
        match field.source {
            crate::registry::Source::Json { column, member } => {
                assert!(record[column].get(member).is_some(), "{}", field.name);
            }
            crate::registry::Source::Column(column) => assert!(record.get(column).is_some(), "{}", field.name),
            _ => {}
        }
    }
}

proptest! {
    /// Whatever is marked, a list that is accepted has exactly one primary entry, and at most one mark is accepted.
    #[test]
    fn an_accepted_list_has_one_primary_entry(marks in prop::collection::vec(any::<bool>(), 0..8)) {
        let emails: Vec<_> = marks.iter().enumerate()
            .map(|(index, primary)| json!({"address": format!("a{index}@example.com"), "primary": primary}))
            .collect();
        let marked = marks.iter().filter(|mark| **mark).count();
        match checked(&json!({"kind": "person", "name": "Ada", "emails": emails})) {
            Ok(fields) => {
                prop_assert!(marked < 2);
                let primaries = fields.emails.iter().filter(|email| email.primary).count();
                prop_assert_eq!(primaries, usize::from(!marks.is_empty()));
                let first = marks.iter().position(|mark| *mark).unwrap_or(0);
                prop_assert!(fields.emails.get(first).is_none_or(|email| email.primary));
            }
            Err(_) => prop_assert!(marked > 1),
        }
    }

    /// What is accepted once is accepted again, unchanged: a later patch of another field never trips over it.
    #[test]
    fn what_is_accepted_stays_as_it_is(
        address in "[ A-Za-z0-9.+äß]{1,10}@[A-Za-z0-9ä.-]{1,12}\\.(com|DE|Online) ?",
        number in "\\+?[0-9 ()/-]{3,18}",
        tag in "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}",
        handle in " ?@{0,2}[A-Za-z_]{1,8}",
    ) {
        let input = json!({
            "kind": "person", "given_name": " Ada ", "language": tag,
            "emails": [{"address": address}], "phones": [{"number": number}],
            "addresses": [{"country": "DE"}], "handles": [{"network": "x", "handle": handle}],
        });
        if let Ok(fields) = checked(&input) {
            prop_assert_eq!(fields.clone().checked(), Ok(fields));
        }
    }
}
