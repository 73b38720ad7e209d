//! The parameters and headers of the generic endpoints.

use super::components::Components;
use crate::limits::{MAX_PAGE, PAGE};
use domain::registry::{Field, FieldType, Registry};
use domain::rule::order::MOST_KEYS;
use serde_json::{Value, json};

/// The pattern of an `If-Match` value: entity tags or bare versions, or `*`.
const IF_MATCH: &str = r#"^\s*(\*|((W/)?"[^"]*"|[0-9]+)(\s*,\s*((W/)?"[^"]*"|[0-9]+))*)\s*$"#;
/// The pattern of an idempotency key, bare or quoted.
const IDEMPOTENCY_KEY: &str = r#"^([!#-~]([ -~]{0,253}[!-~])?|"[ -~]{1,255}")$"#;
/// The pattern of an amount with its currency.
const AMOUNT: &str = r"^-?[0-9]{1,15}(\.[0-9]{1,4})?( [A-Z]{3})?$";

/// A reference to a parameter of [`shared`].
pub(super) fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// A reference to a header of [`headers`].
pub(super) fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// The parameters that many endpoints share.
pub(super) fn shared() -> Value {
    let path = |name, schema: Value, description| json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": description });
    let query = |name, schema: Value, description| json!({ "name": name, "in": "query", "schema": schema, "description": description });
    let header = |name, schema: Value, description| json!({ "name": name, "in": "header", "schema": schema, "description": description });
    json!({
        "Id": path("id", json!({ "type": "string", "format": "uuid" }), "The record's id."),
        "System": path("system", json!({ "type": "string", "minLength": 1, "maxLength": 64 }), "The other system."),
        "ExternalId": path(
            "external_id",
            json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
            "The record's id there, percent-encoded.",
        ),
        "IfMatch": header(
            "If-Match",
            json!({ "type": "string", "pattern": IF_MATCH }),
            "The `ETag` of the record as you know it, such as `\"7\"`: the change is made only if it is still so.",
        ),
        "IfNoneMatch": header(
            "If-None-Match",
            json!({ "type": "string" }),
            "The `ETag` of the record as you have it: when it is still so, the answer is 304 without a body.",
        ),
        "IdempotencyKey": header(
            "Idempotency-Key",
            json!({ "type": "string", "minLength": 1, "maxLength": 257, "pattern": IDEMPOTENCY_KEY }),
            "Makes it safe to repeat the request: the same key and request get the first answer again, for 24 hours.",
        ),
        "RequestId": header(
            "X-Request-Id",
            json!({ "type": "string" }),
            "Names the request in answers, logs and events. One is made when it is missing or not short and plain.",
        ),
        "DryRun": query(
            "dry_run",
            json!({ "type": "boolean", "default": false }),
            "Everything is checked and answered, nothing is kept.",
        ),
        "Limit": query(
            "limit",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE }),
            "Records on the page.",
        ),
        "Cursor": query(
            "cursor",
            json!({ "type": "string", "minLength": 1 }),
            "`page.next_cursor` of the page before, with the same sort and filters.",
        ),
        "Total": query("total", json!({ "type": "string", "enum": ["exact"] }), "Counts all that match, as `page.total`."),
        "Q": query(
            "q",
            json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
            "Words or fragments to be found in names, addresses and numbers; one of them has three characters at least.",
        ),
    })
}

/// The headers of answers.
pub(super) fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "RequestId": { "description": "Names the request in the service's log and events.", "schema": { "type": "string", "minLength": 1 } },
        "ETag": { "description": "The version of the record.", "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" }, "example": "\"7\"" },
        "Location": text("Where the new record is found."),
        "MovedTo": text("The same place of the customer that goes on."),
        "Link": text("The next page, as `<…>; rel=\"next\"`, when there is one."),
        "IdempotencyReplayed": {
            "description": "There when the answer is that of an earlier request with the same key.",
            "schema": { "type": "string", "enum": ["true"] },
        },
        "RetryAfter": { "description": "Seconds to wait before repeating.", "schema": { "type": "integer", "minimum": 0 } },
        "RateLimit": text("What is left of the tenant's requests (draft-ietf-httpapi-ratelimit-headers), where they are limited."),
        "RateLimitPolicy": text("How many requests the tenant may send, where they are limited."),
        "ContentRange": text("How many bytes there are, as `bytes */48213`."),
        "Challenge": text("How to authenticate (RFC 6750)."),
        "Allow": text("The methods of the resource."),
    })
}

/// `fields`: an array of member names, parted by commas.
pub(super) fn fields(members: &[String]) -> Value {
    list(
        "fields",
        &json!({ "type": "string", "enum": members }),
        "Members to send, parted by commas; by default all.",
    )
}

/// `include`: names of relations, parted by commas.
pub(super) fn include(registry: &Registry, components: &Components) -> Value {
    let description = "Related records to embed, parted by commas, each under the name of the relation.";
    list(
        "include",
        &json!({ "type": "string", "enum": relations(registry, components) }),
        description,
    )
}

/// `sort`: names of fields, parted by commas.
pub(super) fn sort(registry: &Registry) -> Value {
    let description = "Fields to sort by, parted by commas; `-` before one turns it round. By default by id, which is \
        the order of creation. Records that lack a field come last.";
    let mut parameter = list(
        "sort",
        &json!({ "type": "string", "enum": sort_keys(registry) }),
        description,
    );
    parameter["schema"]["maxItems"] = MOST_KEYS.into();
    parameter
}

fn list(name: &str, items: &Value, description: &str) -> Value {
    json!({
        "name": name, "in": "query", "style": "form", "explode": false, "description": description,
        "schema": { "type": "array", "items": items, "minItems": 1 },
    })
}

/// The names of the relations to resources of the document.
pub(super) fn relations(registry: &Registry, components: &Components) -> Vec<&'static str> {
    let relations = registry
        .all_relations()
        .filter(|relation| components.has(relation.target));
    relations.map(|relation| relation.name).collect()
}

/// The sortable fields, each in both directions.
pub(super) fn sort_keys(registry: &Registry) -> Vec<String> {
    let sortable = registry.all_fields().filter(|field| field.sortable);
    sortable
        .flat_map(|field| [field.name.to_owned(), format!("-{}", field.name)])
        .collect()
}

/// The filters by the fields of a kind of record.
pub(super) fn filters(registry: &Registry) -> Vec<Value> {
    registry.all_fields().flat_map(filters_of).collect()
}

/// One parameter, and two more where the values have an order that is asked for.
pub(super) fn filters_of(field: &'static Field) -> Vec<Value> {
    let mut parameters = vec![filter(field, "", "equals")];
    if is_measured(field.field_type) {
        parameters.push(filter(field, "[gte]", "is at least"));
        parameters.push(filter(field, "[lte]", "is at most"));
    }
    parameters
}

const fn is_measured(field_type: FieldType) -> bool {
    matches!(
        field_type,
        FieldType::Integer | FieldType::Decimal | FieldType::Money | FieldType::Date | FieldType::Instant
    )
}

fn filter(field: &Field, operator: &str, verb: &str) -> Value {
    let description = match field.field_type {
        FieldType::List => format!("Records one of whose `{}` equals this.", field.name),
        _ => format!("Records whose `{}` {verb} this.", field.name),
    };
    json!({
        "name": format!("filter[{}]{operator}", field.name), "in": "query",
        "schema": filter_value(field.field_type), "description": description,
    })
}

fn filter_value(field_type: FieldType) -> Value {
    match field_type {
        FieldType::Text | FieldType::List => json!({ "type": "string", "maxLength": domain::rule::MOST_CHARACTERS }),
        FieldType::Id => json!({ "type": "string", "format": "uuid" }),
        FieldType::Integer => json!({ "type": "integer", "format": "int64" }),
        FieldType::Decimal => json!({ "type": "number" }),
        FieldType::Money => json!({ "type": "string", "pattern": AMOUNT, "examples": ["500.00 EUR"] }),
        FieldType::Date => json!({ "type": "string", "format": "date" }),
        FieldType::Instant => json!({ "anyOf": [
            { "type": "string", "format": "date-time" },
            { "type": "string", "format": "date" },
        ]}),
        FieldType::Bool => json!({ "type": "boolean" }),
        FieldType::Choice([]) => json!({ "type": "string" }),
        FieldType::Choice(choices) => json!({ "type": "string", "enum": choices }),
    }
}
