//! The schemas of searches. That of rules is made from the types of the rule language.

use super::components::{Components, Form, reference, schema_name};
use super::{member_names, operations, parameters};
use crate::list::SearchBody;
use domain::Record;
use domain::rule::RuleNode;
use serde_json::{Value, json};

/// A search of one resource: names what it can be sorted by, trimmed to and embed.
pub(super) fn search_body<R: Record>(components: &mut Components) -> Value {
    let name = components.of::<SearchBody>(Form::Set);
    let mut schema = components.take(&name);
    let rule = components.of::<RuleNode>(Form::Set);
    // A rule takes no null: what is not there is left out.
    components.forbid_null("Rule");
    let registry = R::KIND.registry();
    let many = operations::words(R::KIND.plural());
    schema["description"] = json!(format!("Which {many} to find and how to show them."));
    let properties = &mut schema["properties"];
    properties["rule"] = json!({
        "oneOf": [{ "type": "null" }, reference(&rule)], "description": "The rule that records must meet.",
    });
    properties["total"] = json!({
        "type": ["string", "null"], "enum": ["exact", null], "description": "Counts all that match, as `page.total`.",
    });
    properties["sort"]["items"] = json!({ "type": "string", "enum": parameters::sort_keys(registry) });
    properties["fields"]["items"] = json!({ "type": "string", "enum": member_names::<R>() });
    properties["include"]["items"] = json!({ "type": "string", "enum": parameters::relations(registry, components) });
    components.add(format!("{}Search", schema_name(R::KIND)), schema)
}

/// A search that fits every resource.
pub(super) fn search_example() -> Value {
    json!({
        "rule": { "all": [
            { "field": "created_at", "window": { "last": "P30D" } },
            { "not": { "field": "tags", "op": "has_any", "value": ["test"] } },
        ]},
        "sort": ["-created_at"],
        "limit": 50,
    })
}
