use super::*;
use crate::record::Fields;
use proptest::prelude::*;

fn fields(input: Value) -> CustomerFields {
    let fields: CustomerFields = serde_json::from_value(input).unwrap();
    fields.checked().unwrap()
}

fn person(more: &Value) -> CustomerFields {
    let mut input = json!({"kind": "person", "name": "Ada"});
    input::merge(&mut input, more);
    fields(input)
}

fn choices(input: Value) -> MergeChoices {
    serde_json::from_value(input).unwrap()
}

fn faults(result: Result<CustomerFields, Refusal>) -> Vec<String> {
    match result {
        Err(Refusal::Invalid(faults)) => faults
            .into_iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_survivor_keeps_its_own_and_gets_what_it_lacks() {
    let survivor = person(&json!({
        "name": "Ada Lovelace", "language": "en", "demographics": {"occupation": "mathematician"}, "custom": {"tier": "gold"},
        "emails": [{"address": "ada@example.com", "label": "work"}],
        "preferences": {"product_likes": ["tea"]},
    }));
    let other = person(&json!({
        "name": "A. Byron", "language": "fr", "given_name": "Ada", "birth_date": "1815-12-10",
        "demographics": {"occupation": "poet", "household_size": 3}, "custom": {"tier": "silver", "shoe": 38},
        "emails": [{"address": "ADA@example.com", "label": "home"}, {"address": "byron@example.com", "primary": true}],
        "preferences": {"product_likes": ["coffee", "tea"], "quiet_hours": {"start": "22:00", "end": "07:00"}},
        "external_ids": [{"system": "erp", "id": "1"}],
    }));
    let united = merged(&survivor, &other, &MergeChoices::default()).unwrap();
    let told = json_of(&united);
    assert_eq!(told["name"], "Ada Lovelace");
    assert_eq!(
        (told["language"].as_str(), told["given_name"].as_str()),
        (Some("en"), Some("Ada"))
    );
    assert_eq!(told["birth_date"], "1815-12-10");
    assert_eq!(told["demographics"]["occupation"], "mathematician");
    assert_eq!(told["demographics"]["household_size"], 3);
    assert_eq!(told["custom"], json!({"tier": "gold", "shoe": 38}));
    assert_eq!(told["preferences"]["product_likes"], json!(["tea", "coffee"]));
    assert_eq!(told["preferences"]["quiet_hours"]["start"], "22:00");
    assert_eq!(
        told["emails"],
        json!([
            {"address": "ada@example.com", "label": "work", "primary": true},
            {"address": "byron@example.com", "label": null, "primary": false},
        ])
    );
    assert_eq!(told["external_ids"], json!([{"system": "erp", "id": "1"}]));
}

#[test]
fn a_choice_is_taken_as_a_whole_even_of_nothing() {
    let survivor = person(
        &json!({"language": "en", "birth_date": "1815-12-10", "custom": {"tier": "gold", "shoe": 38},
                                 "tags": ["a"], "demographics": {"occupation": "poet"}}),
    );
    let other = person(
        &json!({"name": "Byron", "custom": {"tier": "silver", "hat": 7}, "tags": ["b"], "interests": ["x"],
                              "lifecycle": "loyal", "demographics": {"household_size": 2}}),
    );
    let chosen = choices(json!({
        "name": "merged", "language": "merged", "birth_date": "survivor", "lifecycle": "merged", "tags": "merged",
        "interests": "survivor", "demographics": "merged", "custom": {"tier": "merged", "shoe": "merged", "hat": "survivor"},
    }));
    let told = json_of(&merged(&survivor, &other, &chosen).unwrap());
    assert_eq!(
        (&told["name"], &told["language"], &told["lifecycle"]),
        (&json!("Byron"), &Value::Null, &json!("loyal"))
    );
    assert_eq!((&told["tags"], &told["interests"]), (&json!(["b"]), &json!([])));
    assert_eq!(told["custom"], json!({"tier": "silver"}));
    assert_eq!(told["demographics"]["occupation"], Value::Null);
}

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    let ada = person(&json!({}));
    let acme = fields(json!({"kind": "organisation", "name": "Acme"}));
    assert_eq!(
        faults(merged(&ada, &acme, &MergeChoices::default())),
        ["/from other_kind"]
    );
    let unknown = choices(json!({"custom": {"tier": "merged"}}));
    assert_eq!(
        faults(merged(&ada, &ada, &unknown)),
        ["/fields/custom/tier unknown_field"]
    );
    let with = |from: usize| {
        let emails: Vec<Value> = (from..from + 15)
            .map(|n| json!({"address": format!("{n}@example.com")}))
            .collect();
        person(&json!({ "emails": emails }))
    };
    assert_eq!(
        faults(merged(&with(0), &with(100), &MergeChoices::default())),
        ["/fields/emails too_many"]
    );
    let chosen = choices(json!({"emails": "merged"}));
    assert_eq!(merged(&with(0), &with(100), &chosen).unwrap().emails, with(100).emails);
}

#[test]
fn what_was_changed_since_stays_and_external_ids_go_back_anyway() {
    let survivor = person(&json!({"external_ids": [{"system": "erp", "id": "1"}], "custom": {"tier": "gold"}}));
    let other = person(
        &json!({"external_ids": [{"system": "erp", "id": "2"}], "language": "fr", "tags": ["x"],
                              "custom": {"shoe": 38, "hat": 7}}),
    );
    let united = merged(&survivor, &other, &MergeChoices::default()).unwrap();
    let changed = changes(&survivor, &united);
    let mut since = united;
    since.language = Some("de".to_owned());
    since.external_ids.push(crate::record::ExternalId {
        system: "crm".to_owned(),
        id: "3".to_owned(),
    });
    since.custom.0.insert("hat".to_owned(), json!(8));
    let (back, kept) = unmerged(&since, &changed, &other).unwrap();
    assert_eq!(kept, ["/custom/hat", "/language"]);
    let told = json_of(&back);
    assert_eq!(
        told["external_ids"],
        json!([{"system": "erp", "id": "1"}, {"system": "crm", "id": "3"}])
    );
    assert_eq!(told["custom"], json!({"tier": "gold", "hat": 8}));
    assert_eq!((&told["tags"], &told["language"]), (&json!([]), &json!("de")));
}

#[test]
fn phone_numbers_that_the_plan_of_today_refuses_are_merged_and_come_back() {
    let old = |number: &str| CustomerFields {
        phones: serde_json::from_value(json!([{"number": number, "primary": true}])).unwrap(),
        ..person(&json!({}))
    };
    let (survivor, other) = (old("+4912"), old("+4913"));
    assert!(survivor.clone().checked().is_err() && other.clone().checked().is_err());
    for choices in [json!({}), json!({"phones": "merged"})] {
        let united = merged(&survivor, &other, &self::choices(choices)).unwrap();
        assert!(united.phones.iter().any(|phone| phone.number == "+4913"));
        let (back, kept) = unmerged(&united, &changes(&survivor, &united), &other).unwrap();
        assert_eq!((back, kept), (survivor.clone(), Vec::new()));
    }
}

#[test]
fn an_entry_that_is_there_already_goes() {
    let meeting = json!({"customer_id": "a", "participants": [
        {"customer_id": "b", "role": "from"}, {"customer_id": "a", "role": "to"}, {"customer_id": "b", "role": "to"},
        {"user_id": "u", "role": "cc"}, {"customer_id": "a", "role": "from"},
    ]});
    let pointers = [
        "/customer_id",
        "/participants/1/customer_id",
        "/participants/4/customer_id",
    ]
    .map(str::to_owned);
    let told = renamed(&meeting, &pointers, "b", &[]);
    let entry = |role: &str| json!({"customer_id": "b", "role": role});
    assert_eq!(told["customer_id"], "b");
    assert_eq!(
        told["participants"],
        json!([entry("from"), entry("to"), {"user_id": "u", "role": "cc"}])
    );
    let attendees =
        json!({"participants": [{"customer_id": "a", "role": "required"}, {"customer_id": "b", "role": "optional"}]});
    let told = renamed(
        &attendees,
        &["/participants/0/customer_id".to_owned()],
        "b",
        &["customer_id", "user_id"],
    );
    assert_eq!(told["participants"], json!([entry("optional")]));
}

fn any_customer() -> impl Strategy<Value = CustomerFields> {
    let words = || prop::collection::btree_set("[a-d]", 0..4).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let text = || prop::option::of("[a-c]");
    let lists = (words(), words(), words(), words());
    let texts = (text(), text(), text(), text(), "[a-c]");
    (lists, texts, prop::option::of(1..4), 0..6_usize).prop_map(
        |((tags, emails, ids, likes), texts, household, stage)| {
            let (given, label, custom, occupation, name) = texts;
            let emails: Vec<Value> = emails
                .iter()
                .map(|name| json!({"address": format!("{name}@example.com"), "label": label}))
                .collect();
            let ids: Vec<Value> = ids.iter().map(|id| json!({"system": name, "id": id})).collect();
            let mut input = json!({
                "kind": "person", "name": name, "given_name": given, "tags": tags, "interests": likes, "emails": emails,
                "external_ids": ids, "demographics": {"household_size": household, "occupation": occupation},
                "preferences": {"product_likes": tags}, "lifecycle": super::super::lifecycle::Lifecycle::ALL[stage],
            });
            if let Some(custom) = custom {
                input["custom"] = json!({"tier": custom, name: [custom]});
            }
            fields(input)
        },
    )
}

fn any_choices() -> impl Strategy<Value = MergeChoices> {
    let side = || prop::option::of(prop::sample::select(MergeSide::ALL));
    (side(), side(), side(), side(), side()).prop_map(|(name, emails, demographics, lifecycle, tags)| MergeChoices {
        tags,
        name,
        lifecycle,
        emails,
        demographics,
        ..MergeChoices::default()
    })
}

proptest! {
    #[test]
    fn undoing_a_merge_leaves_what_was_before(survivor in any_customer(), mut other in any_customer(), choices in any_choices()) {
        // Two customers never have the same external id.
        other.external_ids.retain(|id| !survivor.external_ids.contains(id));
        let united = merged(&survivor, &other, &choices).unwrap();
        let (back, kept) = unmerged(&united, &changes(&survivor, &united), &other).unwrap();
        prop_assert_eq!(kept, Vec::<String>::new());
        prop_assert_eq!(back, survivor);
    }

    #[test]
    fn the_survivor_keeps_its_own_and_no_entry_of_a_list_is_lost(survivor in any_customer(), other in any_customer()) {
        let united = json_of(&merged(&survivor, &other, &MergeChoices::default()).unwrap());
        let (ours, theirs) = (json_of(&survivor), json_of(&other));
        for (name, value) in ours.as_object().unwrap() {
            match value {
                Value::Null => prop_assert_eq!(&united[name], &theirs[name]),
                Value::Array(items) => {
                    let all = united[name].as_array().unwrap();
                    prop_assert_eq!(&all[..items.len()], &items[..]);
                    let keys: Vec<String> = all.iter().map(|item| key(name, item)).collect();
                    let once: BTreeSet<&String> = keys.iter().collect();
                    prop_assert_eq!(keys.len(), once.len());
                    for item in theirs[name].as_array().unwrap() {
                        prop_assert!(once.contains(&key(name, item)));
                    }
                }
                Value::Object(parts) => {
                    for (part, value) in parts.iter().filter(|(_, value)| !value.is_null() && !value.is_array()) {
                        prop_assert_eq!(&united[name][part], value);
                    }
                    for (part, value) in theirs[name].as_object().unwrap() {
                        prop_assert!(value.is_null() || !united[name][part].is_null());
                    }
                }
                value => prop_assert_eq!(&united[name], value),
            }
        }
    }

    #[test]
    fn merging_the_same_again_changes_nothing(survivor in any_customer(), other in any_customer()) {
        let once = merged(&survivor, &other, &MergeChoices::default()).unwrap();
        prop_assert_eq!(&merged(&once, &other, &MergeChoices::default()).unwrap(), &once);
    }
}
