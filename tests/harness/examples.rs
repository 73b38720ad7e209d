//! A body that makes a record of each resource, for the stories that hold for every resource.

use super::answer::id_of;
use super::tenant::Tenant;
use serde_json::{Value, json};

/// The resources with the mechanics of records; `tenants` checks that none of the document is missing.
pub(crate) const RESOURCES: &[&str] = &[
    "customers",
    "relationships",
    "notes",
    "documents",
    "custom_fields",
    "interactions",
    "products",
    "pipelines",
    "stages",
    "opportunities",
    "tickets",
    "sla_policies",
    "business_hours",
    "tasks",
    "appointments",
    "segments",
    "users",
    "teams",
    "service_accounts",
];

impl Tenant {
    /// What a new record of a resource is made of, with the records it needs.
    pub(crate) async fn example(&self, resource: &str) -> Value {
        match resource {
            "customers" => json!({"kind": "organisation", "name": "Acme"}),
            "relationships" => {
                let from = self.example_id("customers").await;
                json!({"from_id": from, "to_id": self.example_id("customers").await, "role": "partner"})
            }
            "notes" => {
                let subject = json!({"type": "customer", "id": self.example_id("customers").await});
                json!({"subject": subject, "body": "Prefers to be called after 16:00."})
            }
            "documents" => {
                let subject = json!({"type": "customer", "id": self.example_id("customers").await});
                json!({"subject": subject, "name": "Offer 2026-17.pdf"})
            }
            "custom_fields" => {
                let key = format!("key_{}", uuid::Uuid::now_v7().simple());
                json!({"resource": "product", "key": key, "name": "Tier", "type": "text"})
            }
            "interactions" => json!({"channel": "call", "started_at": "2026-01-31T09:30:00Z"}),
            "products" => json!({"name": "GTX Pro"}),
            "pipelines" => json!({"name": "Direct"}),
            "stages" => stage_in(&self.example_id("pipelines").await),
            "opportunities" => {
                let pipeline = self.example_id("pipelines").await;
                let stage = id_of(&self.create("stages", stage_in(&pipeline)).await);
                json!({"name": "Big deal", "pipeline_id": pipeline, "stage_id": stage})
            }
            "tickets" => json!({"subject": "Parcel has not arrived"}),
            "sla_policies" => json!({"name": "Everybody", "position": 1, "targets": {"resolution": {"minutes": 600}}}),
            "business_hours" => {
                let opening = json!({"day": "monday", "from": "09:00", "to": "17:00"});
                json!({"name": "Support", "time_zone": "Europe/Berlin", "openings": [opening]})
            }
            "tasks" => json!({"subject": "Call back"}),
            "appointments" => json!({
                "subject": "Demonstration",
                "starts_at": "2026-02-02T09:00:00Z",
                "ends_at": "2026-02-02T10:00:00Z",
            }),
            "segments" => json!({"name": "Picked by hand", "kind": "static"}),
            "users" => json!({"name": "Ada", "role": "agent"}),
            "teams" => json!({"name": "Sales West"}),
            "service_accounts" => json!({"name": "ERP sync", "role": "integration"}),
            other => panic!("{other} has no example: add one"),
        }
    }

    /// A new record of a resource.
    pub(crate) async fn create_example(&self, resource: &str) -> Value {
        let body = self.example(resource).await;
        self.create(resource, body).await
    }

    pub(crate) async fn example_id(&self, resource: &str) -> String {
        id_of(&Box::pin(self.create_example(resource)).await)
    }
}

fn stage_in(pipeline: &str) -> Value {
    json!({"pipeline_id": pipeline, "name": "Open", "position": 1, "kind": "open", "probability": 10})
}
