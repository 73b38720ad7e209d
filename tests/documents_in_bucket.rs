//! Documents in a bucket: a small service that speaks as much of S3 as they need.

use crate::harness::files::{begin_put, chunked, content, download, file, put};
use crate::harness::{NOBODY, Send, Server, Settings, Tenant, eventually};
use actix_web::web::{Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;

/// What an object holds, and when it was written.
type Object = (Vec<u8>, DateTime<Utc>);

/// A bucket: objects by key with the time they were written, and parts of uploads that are under way.
#[derive(Default)]
struct Bucket {
    objects: Mutex<BTreeMap<String, Object>>,
    parts: Mutex<BTreeMap<String, BTreeMap<u32, Vec<u8>>>>,
    uploads: Mutex<u32>,
}

/// As much of S3 as documents need.
async fn s3(request: HttpRequest, body: Bytes, bucket: Data<Bucket>) -> HttpResponse {
    let signed = request
        .headers()
        .get("Authorization")
        .and_then(|value| value.to_str().ok());
    if !signed.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=key/")) {
        return HttpResponse::Forbidden().finish();
    }
    let query = web::Query::<BTreeMap<String, String>>::from_query(request.query_string())
        .expect("a query")
        .into_inner();
    let key = request.path().trim_start_matches("/crm/").to_owned();
    let (mut objects, mut parts) = (
        bucket.objects.lock().expect("a lock"),
        bucket.parts.lock().expect("a lock"),
    );
    let now = Utc::now();
    match (request.method().as_str(), query.get("uploadId")) {
        ("POST", None) => {
            let mut uploads = bucket.uploads.lock().expect("a lock");
            *uploads += 1;
            parts.insert(uploads.to_string(), BTreeMap::new());
            HttpResponse::Ok().body(format!(
                "<InitiateMultipartUploadResult><Bucket>crm</Bucket><Key>{key}</Key><UploadId>{uploads}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        ("PUT", Some(upload)) => {
            let number = query["partNumber"].parse().expect("a number");
            parts.get_mut(upload).expect("an upload").insert(number, body.to_vec());
            HttpResponse::Ok()
                .insert_header(("ETag", format!("\"{number}\"")))
                .finish()
        }
        ("POST", Some(upload)) => {
            let whole = parts
                .remove(upload)
                .expect("an upload")
                .into_values()
                .collect::<Vec<_>>()
                .concat();
            objects.insert(key.clone(), (whole, now));
            HttpResponse::Ok().body(format!(
                "<CompleteMultipartUploadResult><Bucket>crm</Bucket><Key>{key}</Key><ETag>\"1\"</ETag></CompleteMultipartUploadResult>"
            ))
        }
        ("DELETE", Some(upload)) => {
            parts.remove(upload);
            HttpResponse::NoContent().finish()
        }
        ("PUT", None) => {
            objects.insert(key, (body.to_vec(), now));
            HttpResponse::Ok().insert_header(("ETag", "\"1\"")).finish()
        }
        ("DELETE", None) => {
            objects.remove(&key);
            HttpResponse::NoContent().finish()
        }
        ("GET", None) if query.contains_key("list-type") => {
            let mut entries = String::new();
            for (key, (content, at)) in objects.iter().filter(|(key, _)| key.starts_with(&query["prefix"])) {
                let (size, at) = (content.len(), at.to_rfc3339_opts(SecondsFormat::Millis, true));
                let entry =
                    format!("<Key>{key}</Key><LastModified>{at}</LastModified><ETag>\"1\"</ETag><Size>{size}</Size>");
                write!(entries, "<Contents>{entry}</Contents>").expect("a text can be written");
            }
            HttpResponse::Ok().body(format!(
                "<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
            ))
        }
        ("GET", None) => {
            let Some((content, at)) = objects.get(&key) else {
                return HttpResponse::NotFound().finish();
            };
            let range = request
                .headers()
                .get("Range")
                .and_then(|value| value.to_str().ok()?.strip_prefix("bytes="));
            let (first, last) = range.and_then(|range| range.split_once('-')).expect("a range");
            let (first, last): (usize, usize) = (first.parse().expect("a number"), last.parse().expect("a number"));
            HttpResponse::PartialContent()
                .insert_header(("ETag", "\"1\""))
                .insert_header(("Last-Modified", at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()))
                .insert_header(("Content-Range", format!("bytes {first}-{last}/{}", content.len())))
                .body(content[first..=last].to_vec())
        }
        _ => HttpResponse::NotImplemented().finish(),
    }
}

#[tokio::test]
async fn a_bucket_keeps_documents_as_a_folder_does() {
    let bucket = Data::new(Bucket::default());
    let shared = bucket.clone();
    let service = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .app_data(PayloadConfig::new(32 << 20))
            .default_service(web::to(s3))
    });
    let service = service
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a port");
    let endpoint = format!("http://{}", service.addrs()[0]);
    tokio::spawn(service.run());

    let settings = Settings::new()
        .with("RAPPORT_DOCUMENTS_URL", "s3://crm/live/documents")
        .with("RAPPORT_DOCUMENT_ORPHAN_SECONDS", "2")
        .with("AWS_ENDPOINT", &endpoint)
        .with("AWS_ALLOW_HTTP", "true")
        .with("AWS_REGION", "eu-central-1")
        .with("AWS_ACCESS_KEY_ID", "key")
        .with("AWS_SECRET_ACCESS_KEY", "secret");
    let server = Server::start(settings);
    let tenant = Tenant::on(&server);
    let (small, large) = (file(100_000, 9), file(12_000_000, 10));
    let id = tenant.example_id("documents").await;
    put(&tenant, &id, small.clone()).answer().await.expect(201);
    put(&tenant, &id, chunked(&large)).answer().await.expect(200);
    assert!(download(content(&tenant, &id, "?version=1")).await.bytes == small);
    assert!(download(content(&tenant, &id, "")).await.bytes == large);
    let part = download(content(&tenant, &id, "").header("Range", "bytes=5999990-6000009")).await;
    assert_eq!((part.status, part.bytes), (206, large[5_999_990..=6_000_009].to_vec()));
    assert_eq!(
        *bucket.uploads.lock().expect("a lock"),
        1,
        "only what is large goes in parts"
    );

    let keys = || {
        bucket
            .objects
            .lock()
            .expect("a lock")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let known = keys();
    assert_eq!(known.len(), 2);
    assert!(known.iter().all(|key| key.starts_with("live/documents/")), "{known:?}");
    let orphan = format!("{}/{}", known[0].rsplit_once('/').expect("a folder").0, NOBODY);
    let long_ago = Utc::now() - chrono::Duration::days(2);
    bucket
        .objects
        .lock()
        .expect("a lock")
        .insert(orphan.clone(), (small, long_ago));
    eventually("the orphan is gone", async || (!keys().contains(&orphan)).then_some(())).await;
    assert_eq!(keys(), known);

    let broken = begin_put(&server, &tenant, &id, 12_000_000, &large[..11_000_000]);
    eventually("parts of it are there", async || {
        (!bucket.parts.lock().expect("a lock").is_empty()).then_some(())
    })
    .await;
    drop(broken);
    eventually("the parts are given up", async || {
        bucket.parts.lock().expect("a lock").is_empty().then_some(())
    })
    .await;
    tenant
        .delete(&format!("/v1/documents/{id}?purge=true"))
        .await
        .expect(204);
    eventually("the bucket is empty", async || keys().is_empty().then_some(())).await;

    let out_of_reach = Settings::new()
        .with("RAPPORT_DOCUMENTS_URL", "s3://crm")
        .with("AWS_ENDPOINT", &endpoint)
        .with("AWS_ALLOW_HTTP", "true")
        .with("AWS_ACCESS_KEY_ID", "stranger")
        .with("AWS_SECRET_ACCESS_KEY", "secret");
    let server = Server::start(out_of_reach);
    let tenant = Tenant::on(&server);
    let id = tenant.example_id("documents").await;
    let refused = put(&tenant, &id, "content").answer().await;
    refused.expect_problem(503, "unavailable");
    content(&tenant, &id, "")
        .answer()
        .await
        .expect_problem(404, "not_found");
}
