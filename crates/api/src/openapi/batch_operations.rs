//! What the document says of batches.

use super::components::{Components, Form, reference, schema_name};
use super::operations::{capital, json_content, words, writes};
use super::parameters::header;
use super::samples;
use crate::batch::BatchResults;
use crate::limits::BATCH_ITEMS;
use domain::Record;
use serde_json::{Value, json};

/// The description of the batch of a resource.
pub(super) fn batch<R: Record>(components: &mut Components) -> Value {
    let kind = R::KIND;
    let summary = format!("Write many {}", words(kind.plural()));
    let description = format!(
        "Up to {BATCH_ITEMS} writes in one request and one transaction, with a result an item in the order of the items. \
        An item that fails leaves the others alone, unless `atomic=true`: then one failure answers 422 for all and \
        nothing is kept. Items may refer to records of items before them by `ref/{{name}}`."
    );
    let atomic = json!({
        "name": "atomic", "in": "query", "description": "All or nothing.",
        "schema": { "type": "boolean", "default": false },
    });
    let mut operation = writes::<R>(
        &format!("batch_{}", kind.plural()),
        &summary,
        &description,
        &[],
        vec![atomic],
    );
    let item = batch_item::<R>(components);
    let body = components.add(
        format!("{}Batch", schema_name(kind)),
        json!({
            "type": "object",
            "description": format!("Writes of {}.", words(kind.plural())),
            "properties": { "items": { "type": "array", "items": item, "minItems": 1, "maxItems": BATCH_ITEMS } },
            "required": ["items"],
            "additionalProperties": false,
        }),
    );
    let fields = components.of::<R::Fields>(Form::Set);
    let example =
        json!({ "items": [{ "op": "create", "ref": "first", "data": samples::settable(components, &fields) }] });
    operation["requestBody"] = json!({ "required": true, "content": json_content(&body, Some(example)) });
    let results = reference(&components.of::<BatchResults>(Form::Sent));
    let example = json!({ "data": [
        { "status": 201, "outcome": "created", "id": samples::ID, "version": 1 },
    ]});
    operation["responses"]["207"] = json!({
        "description": "What became of each item",
        "content": json_content(&results, Some(example)),
        "headers": { "Idempotency-Replayed": header("IdempotencyReplayed") },
    });
    operation
}

/// The four writes of a batch, told apart by `op`.
fn batch_item<R: Record>(components: &mut Components) -> Value {
    let name = schema_name(R::KIND);
    let fields = reference(&components.of::<R::Fields>(Form::Set));
    let patch = reference(&components.of::<R::Fields>(Form::Patch));
    let id = json!({ "type": "string", "format": "uuid", "description": "The record." });
    let if_match =
        json!({ "type": ["string", "null"], "description": "The version that the caller knows, such as `\"7\"`." });
    let own_name = json!({
        "type": ["string", "null"],
        "description": "A name by which later items refer to this record: `ref/{name}`.",
    });
    let system = json!({ "type": "string", "minLength": 1, "maxLength": 64, "description": "The other system." });
    let external_id =
        json!({ "type": "string", "minLength": 1, "maxLength": 255, "description": "The record's id there." });
    let mode = json!({
        "type": ["string", "null"], "enum": ["upsert", "create_only", "update_only", null],
        "description": "Whether it may create, change, or both.",
    });
    let items = [
        (
            "create",
            json!({ "data": fields, "ref": own_name }),
            json!(["op", "data"]),
        ),
        (
            "update",
            json!({ "id": id, "if_match": if_match, "data": patch, "ref": own_name }),
            json!(["op", "id", "data"]),
        ),
        (
            "upsert",
            json!({
                "system": system, "external_id": external_id, "mode": mode, "if_match": if_match, "data": patch,
                "ref": own_name,
            }),
            json!(["op", "system", "external_id", "data"]),
        ),
        ("delete", json!({ "id": id, "if_match": if_match }), json!(["op", "id"])),
    ];
    let mut choices = Vec::new();
    let mut mapping = json!({});
    for (op, mut properties, required) in items {
        properties["op"] = json!({ "type": "string", "enum": [op] });
        let schema = json!({
            "type": "object",
            "description": format!("An item of a batch: {op}."),
            "properties": properties, "required": required, "additionalProperties": false,
        });
        let choice = components.add(format!("{name}Batch{}", capital(op)), schema);
        mapping[op] = choice["$ref"].clone();
        choices.push(choice);
    }
    json!({ "oneOf": choices, "discriminator": { "propertyName": "op", "mapping": mapping } })
}
